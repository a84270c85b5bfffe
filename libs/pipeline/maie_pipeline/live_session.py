"""The pipeline of a live session.

    live -> enhancement -> summary.reduce

The session itself is the unit `live`: a gateway ends it with the transcript of all finals. The
rest is as for a recording of one chunk.
"""

from __future__ import annotations

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie_pipeline.nodes import Node, Scope
from maie_pipeline.pipeline import Pipeline
from maie_pipeline.text import text_nodes

LIVE_UNIT = "live"

LIVE_SESSION = Pipeline(
    name="live_session",
    nodes=(
        Node(
            name=LIVE_UNIT,
            stage=common.STAGE_ASR,
            scope=Scope.JOB,
            state=job.JOB_STATE_PROCESSING_ASR,
            request=None,
            output=common.Transcript,
            cuts=True,
        ),
        *text_nodes(LIVE_UNIT),
    ),
)
