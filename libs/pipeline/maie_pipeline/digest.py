"""The pipeline of a transcript that is summarised again.

    text -> transcript[i] -> enhancement[i] -> summary.map[i] -> summary.reduce

The unit `text` is complete when the job begins, and gives the transcripts of the chunks: a gateway
takes them from another job. The rest is as for a recording; a text that is clean is not cleaned.
"""

from __future__ import annotations

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie_pipeline.nodes import Node, Scope
from maie_pipeline.pipeline import Pipeline
from maie_pipeline.text import text_nodes

TEXT_UNIT = "text"
CHUNK_NODE = "transcript"

DIGEST = Pipeline(
    name="digest",
    nodes=(
        Node(
            name=TEXT_UNIT,
            stage=common.STAGE_ASR,
            scope=Scope.JOB,
            state=job.JOB_STATE_PROCESSING_ASR,
            request=None,
            output=common.Transcript,
            # Its text is that of its chunks.
            shown=False,
            cuts=True,
        ),
        Node(
            name=CHUNK_NODE,
            stage=common.STAGE_ASR,
            scope=Scope.CHUNK,
            state=job.JOB_STATE_PROCESSING_ASR,
            needs=((TEXT_UNIT,),),
            request=None,
            output=common.Transcript,
            given=True,
        ),
        *text_nodes(CHUNK_NODE),
    ),
)
