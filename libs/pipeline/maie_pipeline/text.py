"""What becomes of a transcript: the same nodes wherever it is from.

SOURCE[i] -> enhancement[i] -> summary.map[i] -> summary.reduce -> digest
"""

from __future__ import annotations

from collections.abc import Sequence

from maie.common.v1 import types_pb2 as common
from maie.enhancement.v1 import enhancement_pb2 as enhancement
from maie.event.v1 import event_pb2 as event
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie.summary.v1 import summary_pb2 as summary
from maie_pipeline.digest import digest_node
from maie_pipeline.nodes import Node, Scope

CHUNK_NODE = "transcript"


def given_text_nodes(unit: str) -> tuple[Node, ...]:
    """The nodes of a text that a gateway gives and divides into chunks, and those that work on it.

    UNIT -> transcript[i] -> enhancement[i] -> summary.map[i] -> summary.reduce

    Args:
        unit: The unit that gives it; with its end, the transcripts of all chunks are there.
    """
    return (
        Node(
            name=unit,
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
            needs=((unit,),),
            request=None,
            output=common.Transcript,
            given=True,
        ),
        *text_nodes(CHUNK_NODE),
    )


def text_nodes(*sources: str) -> tuple[Node, ...]:
    """The nodes that work on transcripts.

    Args:
        sources: The node whose outputs the transcripts are: the first that the job has.
    """
    return (
        Node(
            name="enhancement",
            stage=common.STAGE_ENHANCEMENT,
            scope=Scope.CHUNK,
            state=job.JOB_STATE_PROCESSING_LLM,
            needs=(sources,),
            features=frozenset(
                {
                    job.FEATURE_CLEAN_TRANSCRIPT,
                    job.FEATURE_ENHANCEMENT_METRICS,
                    job.FEATURE_SUMMARY,
                }
            ),
            request=_enhancement,
            output=common.Transcript,
            unneeded=_is_punctuated,
        ),
        Node(
            name="summary.map",
            stage=common.STAGE_SUMMARY,
            scope=Scope.CHUNK,
            state=job.JOB_STATE_PROCESSING_LLM,
            needs=(("enhancement",),),
            features=frozenset({job.FEATURE_SUMMARY}),
            min_chunks=2,
            request=_summary_map,
            output=summary.SummarizeResult,
            shown=False,
        ),
        Node(
            name="summary.reduce",
            stage=common.STAGE_SUMMARY,
            scope=Scope.JOIN,
            state=job.JOB_STATE_PROCESSING_LLM,
            needs=(("summary.map", "enhancement"),),
            features=frozenset({job.FEATURE_SUMMARY}),
            request=_summary_reduce,
            output=summary.SummarizeResult,
        ),
        digest_node(summary="summary.reduce"),
    )


def _enhancement(
    source: record.JobRecord, _: record.Unit, needs: Sequence[record.Unit]
) -> enhancement.EnhanceRequest:
    request = enhancement.EnhanceRequest(transcript_blob=needs[0].output)
    if source.config.HasField("enhancement_generation"):
        request.generation.CopyFrom(source.config.enhancement_generation)
    return request


def _summary_map(
    source: record.JobRecord, _: record.Unit, needs: Sequence[record.Unit]
) -> summary.SummarizeRequest:
    return _summary(source, summary.SummarizeRequest(map=needs[0].output))


def _summary_reduce(
    source: record.JobRecord, _: record.Unit, needs: Sequence[record.Unit]
) -> summary.SummarizeRequest:
    if needs and needs[0].stage != common.STAGE_SUMMARY:
        return _summary(source, summary.SummarizeRequest(whole=needs[0].output))
    parts = summary.ReduceSource(parts=[need.output for need in needs])
    return _summary(source, summary.SummarizeRequest(reduce=parts))


def _summary(
    source: record.JobRecord, request: summary.SummarizeRequest
) -> summary.SummarizeRequest:
    request.template_blob.CopyFrom(source.template)
    request.speaker_names.update(source.speaker_names)
    if source.config.HasField("summary_generation"):
        request.generation.CopyFrom(source.config.summary_generation)
    return request


def _is_punctuated(facts: event.UnitFacts) -> bool:
    return facts.punctuated
