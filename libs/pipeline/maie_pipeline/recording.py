"""The pipeline of a recording.

    preprocess -> asr[i] -> enhancement[i] -> summary.map[i] -> summary.reduce

Every chunk goes its own way; only summary.reduce waits for all of them. Where there is one chunk,
summary.reduce does what its map unit would do, too.
"""

from __future__ import annotations

from collections.abc import Sequence

from maie.asr.v1 import asr_pb2 as asr
from maie.common.v1 import types_pb2 as common
from maie.enhancement.v1 import enhancement_pb2 as enhancement
from maie.event.v1 import event_pb2 as event
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie.summary.v1 import summary_pb2 as summary
from maie_pipeline.nodes import Node, Scope
from maie_pipeline.pipeline import Pipeline


def _preprocess(
    source: record.JobRecord, _: record.Unit, __: Sequence[record.Unit]
) -> preprocess.PreprocessRequest:
    request = preprocess.PreprocessRequest(recording=source.recording, asr_slots=source.asr_slots)
    if source.config.HasField("chunk_duration"):
        request.chunk_duration.CopyFrom(source.config.chunk_duration)
    if source.config.HasField("recording_options"):
        request.recording_options.CopyFrom(source.config.recording_options)
    return request


def _asr(
    source: record.JobRecord, unit: record.Unit, _: Sequence[record.Unit]
) -> asr.TranscribeRequest:
    """The chunk's index alone: who publishes the task puts in the rest of it, from the plan."""
    return asr.TranscribeRequest(
        speech_chunk=preprocess.Chunk(index=unit.index), options=source.config.asr_options
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
    if source.config.HasField("summary_generation"):
        request.generation.CopyFrom(source.config.summary_generation)
    return request


def _is_punctuated(facts: event.UnitFacts) -> bool:
    return facts.punctuated


RECORDING = Pipeline(
    name="recording",
    nodes=(
        Node(
            name="preprocess",
            stage=common.STAGE_PREPROCESS,
            scope=Scope.JOB,
            state=job.JOB_STATE_PREPROCESSING,
            request=_preprocess,
            output=preprocess.PreprocessResult,
            cuts=True,
        ),
        Node(
            name="asr",
            stage=common.STAGE_ASR,
            scope=Scope.CHUNK,
            state=job.JOB_STATE_PROCESSING_ASR,
            needs=(("preprocess",),),
            request=_asr,
            output=common.Transcript,
        ),
        Node(
            name="enhancement",
            stage=common.STAGE_ENHANCEMENT,
            scope=Scope.CHUNK,
            state=job.JOB_STATE_PROCESSING_LLM,
            needs=(("asr",),),
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
    ),
)
