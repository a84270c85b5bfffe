"""How good the sound of a recording is: nodes beside those of its text.

CUT -> quality.map[i] -> quality.reduce
"""

from __future__ import annotations

from collections.abc import Sequence

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie.quality.v1 import quality_pb2 as quality
from maie_pipeline.nodes import Node, Scope

_MAP = "quality.map"
_WANTED = frozenset({job.FEATURE_QUALITY})


def quality_nodes(*, cut: str) -> tuple[Node, ...]:
    """The nodes that measure the sound, where a job wants that.

    Args:
        cut: The node that cuts the recording.
    """
    return (
        Node(
            name=_MAP,
            stage=common.STAGE_QUALITY,
            scope=Scope.CHUNK,
            state=job.JOB_STATE_PROCESSING_ASR,
            needs=((cut,),),
            features=_WANTED,
            request=_map,
            output=quality.Measures,
            shown=False,
        ),
        Node(
            name="quality.reduce",
            stage=common.STAGE_QUALITY,
            scope=Scope.JOIN,
            state=job.JOB_STATE_PROCESSING_ASR,
            needs=((cut,), (_MAP,)),
            features=_WANTED,
            request=_reduce,
            output=quality.QualityReport,
        ),
    )


def _map(
    _: record.JobRecord, unit: record.Unit, __: Sequence[record.Unit]
) -> quality.AssessRequest:
    """The chunk's index alone: who publishes the task puts in the rest of it, from the plan."""
    return quality.AssessRequest(speech_chunk=preprocess.Chunk(index=unit.index))


def _reduce(
    _: record.JobRecord, __: record.Unit, needs: Sequence[record.Unit]
) -> quality.AssessRequest:
    cut, *chunks = needs
    source = quality.MeasuresSource(
        preprocessed=cut.output, parts=[chunk.output for chunk in chunks]
    )
    return quality.AssessRequest(measures=source)
