"""The options of a job, by plain names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TypedDict

import grpc

from maie.asr.v1 import asr_pb2 as asr
from maie.common.v1 import types_pb2 as common
from maie.diarization.v1 import diarization_pb2 as diarization
from maie.job.v1 import job_pb2 as job
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie.speech.v1 import speech_pb2 as speech
from maie_client.errors import ClientError
from maie_client.reasons import ClientReason
from maie_client.text import sendable, sendable_labels

FEATURES: dict[str, job.Feature] = {
    "raw_transcript": job.FEATURE_RAW_TRANSCRIPT,
    "clean_transcript": job.FEATURE_CLEAN_TRANSCRIPT,
    "summary": job.FEATURE_SUMMARY,
    "enhancement_metrics": job.FEATURE_ENHANCEMENT_METRICS,
    "speakers": job.FEATURE_SPEAKERS,
    "quality": job.FEATURE_QUALITY,
    "digest": job.FEATURE_DIGEST,
    "reading": job.FEATURE_READING,
}
"""The features by name."""


class SharedOptions(TypedDict, total=False):
    """The options that jobs of recordings and live sessions share."""

    features: Sequence[str]
    """Names from FEATURES; empty: clean transcript and summary."""
    template_id: str
    """The template of the summary, such as "meeting_notes_v1"."""
    language_code: str
    """The spoken language as a BCP-47 tag; by default detected, if the engine can."""
    hotwords: Sequence[str]
    """Likely words and names."""
    word_time_offsets: bool
    """Whether the result has each word's times."""
    asr_options: asr.TranscribeOptions
    """All options of the ASR stage; the three above override them."""
    enhancement_generation: common.GenerationOptions
    """The sampling parameters for the clean transcript."""
    summary_generation: common.GenerationOptions
    """The sampling parameters for the summary."""
    display_name: str
    """The job's display name."""
    labels: Mapping[str, str]
    """The caller's own labels for the job."""
    webhooks: Sequence[job.Webhook]
    """The webhook to notify when the job is finished."""
    chunk_duration: timedelta
    """The target length of chunks, 5 s to 30 min."""


class JobOptions(SharedOptions, total=False):
    """The options of a job. Unset ones have the mesh's own settings."""

    filename: str
    """The recording's file name, for its extension; by default that of the file."""
    recording_options: preprocess.RecordingOptions
    """The channels and tracks to transcribe."""
    speaker_options: diarization.SpeakerOptions
    """What is known of the speakers; needs the feature "speakers"."""
    speech_options: speech.SpeechOptions
    """How to speak the summary; needs the feature "digest"."""
    reading_text: str
    """The text that should have been read; with the feature "reading", which needs it."""
    request_id: str
    """The idempotency key: a repeated request with the same content returns the same job."""
    interactive: bool
    """Whether somebody waits for it: it then has priority over other work."""


def job_config(options: JobOptions, filename: str = "") -> job.JobConfig:
    """Converts options to the contract's message.

    Raises:
        ClientError: INVALID_ARGUMENT with FEATURE_UNKNOWN.
    """
    config = shared_config(options)
    config.MergeFrom(
        job.JobConfig(
            filename=sendable(options.get("filename", filename)),
            request_id=sendable(options.get("request_id", "")),
            lane=job.LANE_INTERACTIVE if options.get("interactive") else job.LANE_UNSPECIFIED,
            recording_options=options.get("recording_options"),
            speaker_options=options.get("speaker_options"),
            speech_options=options.get("speech_options"),
        )
    )
    if "reading_text" in options:
        config.reading_options.text = sendable(options["reading_text"])
    return config


def shared_config(options: SharedOptions) -> job.JobConfig:
    """Converts what recordings and live sessions share.

    Raises:
        ClientError: INVALID_ARGUMENT with FEATURE_UNKNOWN.
    """
    config = job.JobConfig(
        features=[_feature(name) for name in options.get("features", ())],
        template_id=sendable(options.get("template_id", "")),
        display_name=sendable(options.get("display_name", "")),
        labels=sendable_labels(options.get("labels", {})),
        webhooks=options.get("webhooks", ()),
        asr_options=options.get("asr_options"),
        enhancement_generation=options.get("enhancement_generation"),
        summary_generation=options.get("summary_generation"),
    )
    config.asr_options.MergeFrom(
        asr.TranscribeOptions(
            language_code=sendable(options.get("language_code", "")),
            hotwords=[sendable(word) for word in options.get("hotwords", ())],
            word_time_offsets=options.get("word_time_offsets"),
        )
    )
    if "chunk_duration" in options:
        config.chunk_duration.FromTimedelta(options["chunk_duration"])
    return config


def _feature(name: str) -> job.Feature:
    if name not in FEATURES:
        raise ClientError(
            grpc.StatusCode.INVALID_ARGUMENT,
            ClientReason.FEATURE_UNKNOWN,
            f"There is no feature {name!r}; choose from {', '.join(FEATURES)}.",
        )
    return FEATURES[name]
