"""The table of pipelines, by the names that job records hold."""

from __future__ import annotations

from maie.job.v1 import record_pb2 as record
from maie_pipeline.live_session import LIVE_SESSION, LIVE_SESSION_WITH_AUDIO
from maie_pipeline.pipeline import Pipeline
from maie_pipeline.recording import RECORDING
from maie_pipeline.revision import REVISION

PIPELINES: dict[str, Pipeline] = {
    pipeline.name: pipeline
    for pipeline in (RECORDING, LIVE_SESSION, LIVE_SESSION_WITH_AUDIO, REVISION)
}


def pipeline_of(source: record.JobRecord) -> Pipeline | None:
    """The pipeline that a job goes through; None where this version does not have it."""
    # A record of a release that had this one alone names none.
    return PIPELINES.get(source.pipeline or RECORDING.name)
