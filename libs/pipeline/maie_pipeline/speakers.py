"""Who spoke when: the nodes between the words of a recording and what becomes of its text.

CUT -> diarization.map[i] -> diarization.reduce -> diarization.merge[i] <- WORDS[i]
"""

from __future__ import annotations

from collections.abc import Sequence

from maie.common.v1 import types_pb2 as common
from maie.diarization.v1 import diarization_pb2 as diarization
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_pipeline.nodes import Node, Scope

MERGE = "diarization.merge"

_MAP = "diarization.map"
_REDUCE = "diarization.reduce"
_WANTED = frozenset({job.FEATURE_SPEAKERS})


def speaker_nodes(*, cut: str, words: str) -> tuple[Node, ...]:
    """The nodes that tell speakers apart, where a job wants them.

    Args:
        cut: The node that cuts the recording.
        words: The node whose outputs the transcripts of the chunks are.
    """
    return (
        Node(
            name=_MAP,
            stage=common.STAGE_DIARIZATION,
            scope=Scope.CHUNK,
            state=job.JOB_STATE_PROCESSING_ASR,
            needs=((cut,),),
            features=_WANTED,
            request=_map,
            output=diarization.Voices,
            shown=False,
        ),
        Node(
            name=_REDUCE,
            stage=common.STAGE_DIARIZATION,
            scope=Scope.JOIN,
            state=job.JOB_STATE_PROCESSING_ASR,
            needs=((_MAP,),),
            features=_WANTED,
            request=_reduce,
            output=diarization.Diarization,
        ),
        Node(
            name=MERGE,
            stage=common.STAGE_DIARIZATION,
            scope=Scope.CHUNK,
            state=job.JOB_STATE_PROCESSING_ASR,
            needs=((words,), (_REDUCE,)),
            features=_WANTED,
            request=_merge,
            output=common.Transcript,
        ),
    )


def _map(
    source: record.JobRecord, unit: record.Unit, _: Sequence[record.Unit]
) -> diarization.DiarizeRequest:
    """The chunk's index alone: who publishes the task puts in the rest of it, from the plan."""
    chunk = preprocess.Chunk(index=unit.index)
    return diarization.DiarizeRequest(speech_chunk=chunk, options=source.config.speaker_options)


def _reduce(
    source: record.JobRecord, _: record.Unit, needs: Sequence[record.Unit]
) -> diarization.DiarizeRequest:
    voices = diarization.VoicesSource(parts=[need.output for need in needs])
    return diarization.DiarizeRequest(voices=voices, options=source.config.speaker_options)


def _merge(
    _: record.JobRecord, __: record.Unit, needs: Sequence[record.Unit]
) -> diarization.DiarizeRequest:
    words, speakers = needs
    source = diarization.WordsSource(transcript=words.output, diarization=speakers.output)
    return diarization.DiarizeRequest(words=source)
