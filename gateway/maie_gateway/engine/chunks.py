"""Completes a task with its chunk: the record has the chunk's index, the plan the rest."""

from __future__ import annotations

from maie.common.v1 import types_pb2 as common
from maie.event.v1 import event_pb2 as event
from maie.job.v1 import record_pb2 as record
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_gateway.conductor import binding
from maie_gateway.views.stored_results import StoredResults
from maie_pipeline.pipelines import pipeline_of


class Chunks:
    """Reads chunks from the plans that preprocess stored.

    Args:
        results: Reads and caches the plans, so that each is read once for all its chunks.
    """

    def __init__(self, results: StoredResults) -> None:
        self._results = results

    async def complete(self, source: record.JobRecord, task: event.StageTask) -> None:
        """Puts the whole chunk into a task that is about one.

        Args:
            source: The job's record.
            task: The conductor's task; changed in place.

        Raises:
            StageError: DATA_LOSS with BLOB_MISSING, BLOB_CORRUPT or CHUNK_MISSING,
                INVALID_ARGUMENT with BLOB_OF_ANOTHER_KIND, or UNAVAILABLE.
        """
        stage = binding(task)
        request = stage.request_of(task)
        fields = request.DESCRIPTOR.fields_by_name
        if "speech_chunk" not in fields or not request.HasField("speech_chunk"):
            return
        plan = await self._results.get(_plan_of(source), preprocess.PreprocessResult)
        index = request.speech_chunk.index
        if index >= len(plan.chunks):
            raise StageError(
                Code.DATA_LOSS,
                Reason.CHUNK_MISSING,
                f"The plan of job {source.job_id} has no chunk {index}; submit the recording "
                "again.",
            )
        request.speech_chunk.CopyFrom(plan.chunks[index])
        stage.set_request(task, request)


def _plan_of(source: record.JobRecord) -> common.Blob:
    """The output of the unit that cut the recording."""
    pipeline = pipeline_of(source)
    cutters = {node.name for node in pipeline.nodes if node.cuts} if pipeline else set()
    return next(unit.output for unit in source.units if unit.unit in cutters)
