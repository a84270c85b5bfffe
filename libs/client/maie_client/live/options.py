"""The options of a live session, by plain names."""

from __future__ import annotations

from maie.asr.v1 import streaming_pb2 as streaming
from maie.live.v1 import live_pb2 as live
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_client.config import SharedOptions, shared_config
from maie_client.live.audio import DEFAULT_RATE_HERTZ
from maie_client.live.resume import ResumePoint
from maie_client.text import sendable


class LiveOptions(SharedOptions, total=False):
    """The options of a live session. Unset ones have the mesh's own settings."""

    format: live.AudioFormat
    """The format of the audio; by default 16-bit PCM, mono, 16 kHz."""
    partials: streaming.PartialOptions
    """When partial results come."""
    turns: streaming.TurnOptions
    """When an utterance begins and ends."""
    keep_audio: bool
    """Whether the audio is kept with the job, for `Client.save_audio`; not by default."""
    refinements: bool
    """Whether finals are followed by refinements, which are their clean text; the features must
    have the clean transcript."""
    several_speakers: bool
    """Whether several people share each track, who are told apart by their voices:
    `speaker_labels` follow finals, and `speaker_update` says that two are one. The features must
    have the speakers."""


def linear16(
    sample_rate_hertz: int = DEFAULT_RATE_HERTZ, channels: int = 1, *, split: bool = False
) -> live.AudioFormat:
    """The format of 16-bit little-endian PCM.

    Args:
        sample_rate_hertz: Samples per second and channel, 8000 to 48000.
        channels: How many channels are interleaved, 1 to 8.
        split: Whether each channel is recognised by itself. Else they are mixed.
    """
    return live.AudioFormat(
        encoding=live.AUDIO_ENCODING_LINEAR16,
        sample_rate_hertz=sample_rate_hertz,
        channels=channels,
        channel_mode=preprocess.CHANNEL_MODE_SPLIT if split else preprocess.CHANNEL_MODE_MIX,
    )


def session_config(options: LiveOptions) -> live.SessionConfig:
    """Converts options to the contract's message.

    Raises:
        ClientError: INVALID_ARGUMENT with FEATURE_UNKNOWN.
    """
    return live.SessionConfig(
        format=options.get("format") or linear16(),
        job=shared_config(options),
        partials=options.get("partials"),
        turns=options.get("turns"),
        keep_audio=options.get("keep_audio", False),
        refinements=options.get("refinements", False),
        several_speakers=options.get("several_speakers", False),
    )


def start_message(options: LiveOptions, resume: ResumePoint | None) -> live.StartSession:
    """The first message of a session, or of one that goes on.

    Raises:
        ClientError: INVALID_ARGUMENT with FEATURE_UNKNOWN.
    """
    if resume is None:
        return live.StartSession(config=session_config(options))
    return live.StartSession(
        session_id=sendable(resume.session_id),
        resume_token=sendable(resume.resume_token),
        after_sequence=resume.after_sequence,
        await_summary=resume.await_summary,
    )
