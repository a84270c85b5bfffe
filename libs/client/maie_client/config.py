"""What a client asks for, by plain names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TypedDict

import grpc

from maie.asr.v1 import asr_pb2 as asr
from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_client.errors import ClientError
from maie_client.reasons import ClientReason
from maie_client.text import sendable, sendable_labels

FEATURES: dict[str, job.Feature] = {
    "raw_transcript": job.FEATURE_RAW_TRANSCRIPT,
    "clean_transcript": job.FEATURE_CLEAN_TRANSCRIPT,
    "summary": job.FEATURE_SUMMARY,
    "enhancement_metrics": job.FEATURE_ENHANCEMENT_METRICS,
}
"""The features by the names that people use."""


class JobOptions(TypedDict, total=False):
    """What is wanted of a recording. What is left out is the mesh's own setting."""

    features: Sequence[str]
    """Names out of FEATURES; clean transcript and summary where empty."""
    template_id: str
    """The template that the summary fills, such as "meeting_notes_v1"."""
    filename: str
    """The recording's name, for its extension; the file's own where it is a file."""
    language_code: str
    """The spoken language as a BCP-47 tag; detected where the engine can."""
    hotwords: Sequence[str]
    """Words and names that are likely to be spoken."""
    word_time_offsets: bool
    """Whether to give each word's times."""
    asr_options: asr.TranscribeOptions
    """All that can be said of the recognition; the three above come on top of it."""
    enhancement_generation: common.GenerationOptions
    """How the language model of the clean transcript draws its words."""
    summary_generation: common.GenerationOptions
    """How the language model of the summary draws its words."""
    recording_options: preprocess.RecordingOptions
    """Which channels and tracks of the recording are read."""
    chunk_duration: timedelta
    """The length that chunks aim at, 5 s to 30 min."""
    request_id: str
    """Names the submit: sent again with the same content, it gives the same job."""
    display_name: str
    """What people call the job."""
    labels: Mapping[str, str]
    """The caller's own words for the job, by key."""
    interactive: bool
    """Whether somebody waits for it: it is then served before all other work."""
    webhooks: Sequence[job.Webhook]
    """Who is told when the job is finished."""


def job_config(options: JobOptions, filename: str = "") -> job.JobConfig:
    """Writes options as the contract has them.

    Raises:
        ClientError: INVALID_ARGUMENT with FEATURE_UNKNOWN.
    """
    config = job.JobConfig(
        features=[_feature(name) for name in options.get("features", ())],
        template_id=sendable(options.get("template_id", "")),
        filename=sendable(options.get("filename", filename)),
        request_id=sendable(options.get("request_id", "")),
        display_name=sendable(options.get("display_name", "")),
        labels=sendable_labels(options.get("labels", {})),
        lane=job.LANE_INTERACTIVE if options.get("interactive") else job.LANE_UNSPECIFIED,
        webhooks=options.get("webhooks", ()),
        asr_options=options.get("asr_options"),
        enhancement_generation=options.get("enhancement_generation"),
        summary_generation=options.get("summary_generation"),
        recording_options=options.get("recording_options"),
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
