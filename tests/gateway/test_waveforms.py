"""A job without a waveform says why, and whether there will be one."""

from __future__ import annotations

from pathlib import Path

import pytest

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie.live.v1 import session_pb2 as session
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_core.errors import StageError
from maie_gateway.views.stored_results import StoredResults
from maie_gateway.views.waveform import StoredWaveforms
from maie_pipeline.live_session import AUDIO_UNIT, LIVE_SESSION, LIVE_SESSION_WITH_AUDIO
from maie_pipeline.recording import RECORDING
from maie_runtime.blobs import Blobs

pytestmark = pytest.mark.unit

WAVEFORM = common.Waveform(peaks=b"\x00\x80\xff")


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path.as_uri())


def record_of(
    pipeline: str, unit: str, state: job.UnitState, output: common.Blob | None = None
) -> record.JobRecord:
    made = record.JobRecord(job_id="one", pipeline=pipeline, state=job.JOB_STATE_PROCESSING_ASR)
    made.units.add(unit=unit, state=state, output=output)
    return made


@pytest.mark.parametrize(
    ("pipeline", "unit", "kind"),
    [
        (RECORDING.name, "preprocess", preprocess.PreprocessResult),
        (LIVE_SESSION_WITH_AUDIO.name, AUDIO_UNIT, session.SessionAudio),
    ],
)
async def test_what_was_made_is_given_while_the_job_runs_and_after(
    blobs: Blobs,
    pipeline: str,
    unit: str,
    kind: type[preprocess.PreprocessResult | session.SessionAudio],
) -> None:
    waveforms = StoredWaveforms(StoredResults(blobs))
    stored = await blobs.put_message("jobs/one/waveform", WAVEFORM)
    output = await blobs.put_message("jobs/one/made", kind(waveform=stored))
    made = record_of(pipeline, unit, job.UNIT_STATE_COMPLETED, output)
    for state in (job.JOB_STATE_PROCESSING_ASR, job.JOB_STATE_FAILED):
        made.state = state
        assert await waveforms.get(made) == WAVEFORM
    before = await blobs.put_message("jobs/one/before", kind())
    earlier = record_of(pipeline, unit, job.UNIT_STATE_COMPLETED, before)
    assert await refusal(waveforms, earlier) == ("NOT_FOUND", "WAVEFORM_NOT_MADE")
    waits = record_of(pipeline, unit, job.UNIT_STATE_QUEUED)
    assert await refusal(waveforms, waits) == ("FAILED_PRECONDITION", "WAVEFORM_NOT_READY")
    waits.state = job.JOB_STATE_CANCELLED
    assert await refusal(waveforms, waits) == ("NOT_FOUND", "WAVEFORM_NOT_MADE")


async def test_a_session_without_audio_and_an_unknown_pipeline_have_none(blobs: Blobs) -> None:
    waveforms = StoredWaveforms(StoredResults(blobs))
    for pipeline in (LIVE_SESSION.name, "of a later release"):
        runs = record_of(pipeline, "live", job.UNIT_STATE_QUEUED)
        assert await refusal(waveforms, runs) == ("NOT_FOUND", "WAVEFORM_NOT_MADE")


async def refusal(waveforms: StoredWaveforms, of: record.JobRecord) -> tuple[str, str]:
    with pytest.raises(StageError) as refused:
        await waveforms.get(of)
    return refused.value.code.name, refused.value.reason
