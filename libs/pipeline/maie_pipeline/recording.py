"""The pipeline of a recording.

    preprocess -> asr[i] -> enhancement[i] -> summary.map[i] -> summary.reduce

Every chunk goes its own way; only summary.reduce waits for all of them. Where there is one chunk,
summary.reduce does what its map unit would do, too. Who wants to know who spoke has, between asr
and enhancement:

    preprocess -> diarization.map[i] -> diarization.reduce -> diarization.merge[i]

Who wants to know how good the sound is has, beside asr:

    preprocess -> quality.map[i] -> quality.reduce

Who wants to know how a text was read has, after the words of all chunks:

    asr[i] -> alignment

Who wants to hear the summary has, after it:

    summary.reduce -> digest

The voices of all chunks are found beside asr, diarization.reduce says which are one speaker's, and
diarization.merge[i] gives the words of asr[i] their speakers.
"""

from __future__ import annotations

from collections.abc import Sequence

from maie.asr.v1 import asr_pb2 as asr
from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_pipeline.nodes import Node, Scope
from maie_pipeline.pipeline import Pipeline
from maie_pipeline.quality import quality_nodes
from maie_pipeline.reading import reading_node
from maie_pipeline.speakers import MERGE, speaker_nodes
from maie_pipeline.text import text_nodes


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


TEXT = frozenset(
    {
        job.FEATURE_RAW_TRANSCRIPT,
        job.FEATURE_CLEAN_TRANSCRIPT,
        job.FEATURE_SUMMARY,
        job.FEATURE_ENHANCEMENT_METRICS,
        job.FEATURE_SPEAKERS,
        job.FEATURE_READING,
    }
)
"""The features that need the text."""

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
            features=TEXT,
            request=_asr,
            output=common.Transcript,
        ),
        *quality_nodes(cut="preprocess"),
        reading_node(cut="preprocess", words="asr"),
        *speaker_nodes(cut="preprocess", words="asr"),
        *text_nodes(MERGE, "asr"),
    ),
)
