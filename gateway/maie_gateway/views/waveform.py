"""The waveform of a job's recording."""

from __future__ import annotations

from typing import Any

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie.live.v1 import session_pb2 as session
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_gateway.views.stored_results import StoredResults
from maie_pipeline.pipelines import pipeline_of
from maie_pipeline.states import FINAL_STATES

# What makes a waveform, by the message that names it.
_MAKERS = (preprocess.PreprocessResult, session.SessionAudio)


class StoredWaveforms:
    """Reads the waveforms of jobs.

    Args:
        stored: Reads stored results.
    """

    def __init__(self, stored: StoredResults) -> None:
        self._stored = stored

    async def get(self, of: record.JobRecord) -> common.Waveform:
        """The waveform of the recording that a job has itself.

        Raises:
            StageError: NOT_FOUND with WAVEFORM_NOT_MADE, FAILED_PRECONDITION with
                WAVEFORM_NOT_READY, or as `StoredResults.get`.
        """
        pipeline = pipeline_of(of)
        for unit in of.units:
            node = pipeline.node(unit.unit) if pipeline else None
            if node is None or node.output not in _MAKERS:
                continue
            if unit.state != job.UNIT_STATE_COMPLETED:
                raise _not_made(of) if of.state in FINAL_STATES else _not_ready(of)
            made: Any = await self._stored.get(unit.output, node.output)
            if made.HasField("waveform"):
                return await self._stored.get(made.waveform, common.Waveform)
        raise _not_made(of)


def _not_made(of: record.JobRecord) -> StageError:
    return StageError(
        Code.NOT_FOUND,
        Reason.WAVEFORM_NOT_MADE,
        f"Job {of.job_id} has no waveform: an earlier release made it, its recording could not be "
        "read, or it is a live session whose audio was not kept; draw a plain bar.",
    )


def _not_ready(of: record.JobRecord) -> StageError:
    return StageError(
        Code.FAILED_PRECONDITION,
        Reason.WAVEFORM_NOT_READY,
        f"The waveform of job {of.job_id} is made with its audio, and is not there yet; ask again "
        "when the job's metrics have its length.",
    )
