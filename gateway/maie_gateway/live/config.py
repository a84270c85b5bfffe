"""Validates what a client wants of a session, and fills in defaults."""

from __future__ import annotations

from maie.asr.v1 import asr_pb2 as asr
from maie.job.v1 import job_pb2 as job
from maie.live.v1 import live_pb2 as live
from maie_core.errors import StageError, invalid
from maie_core.limits import MAX_DISPLAY_NAME_CHARACTERS
from maie_core.live_options import (
    check_live_transcribe,
    check_of_live,
    check_partials,
    check_turns,
)
from maie_core.names import is_harmless
from maie_core.options import check_transcribe
from maie_core.reasons import Reason
from maie_gateway.intake.submit_config import settled_config
from maie_gateway.live.formats import settled_format

MAX_TRACK_CHARACTERS = 64
SUMMARY_NOT_REQUESTED = (
    "The session makes no summary, as its config asks for none or its end leaves it out; do not "
    "wait for it."
)
# What is about a recording.
_OF_RECORDINGS = (
    "filename",
    "recording_options",
    "speaker_options",
    "reading_options",
    "request_id",
    "lane",
)
_FEATURES_OF_RECORDINGS: dict[int, str] = {
    job.FEATURE_QUALITY: "The sound of live speech is not measured",
    job.FEATURE_READING: "Live speech is not compared with a text",
}


def settled_session(asked: live.SessionConfig, chunk_seconds: float) -> live.SessionConfig:
    """The config with defaults filled in.

    Args:
        asked: What the client asked for.
        chunk_seconds: The length of chunks where it names none.

    Raises:
        StageError: INVALID_ARGUMENT naming the invalid field.
    """
    for field, _ in asked.job.ListFields():
        if field.name in _OF_RECORDINGS:
            raise invalid(
                Reason.FIELD_INVALID,
                f"`{field.name}` is about a recording; leave it unset for a live session.",
                field=f"config.job.{field.name}",
            )
    for feature in asked.job.features:
        if feature in _FEATURES_OF_RECORDINGS:
            raise invalid(
                Reason.OPTION_NOT_SUPPORTED,
                f"{_FEATURES_OF_RECORDINGS[feature]}; leave {job.Feature.Name(feature)} out, and "
                "process a recording for it.",
                field="config.job.features",
            )
    config = live.SessionConfig()
    config.CopyFrom(asked)
    config.format.CopyFrom(settled_format(asked.format, "config.format"))
    wanted = settled_config(asked.job)
    # Somebody waits for what is made of the session.
    wanted.lane = job.LANE_INTERACTIVE
    if not wanted.HasField("chunk_duration"):
        wanted.chunk_duration.FromNanoseconds(round(chunk_seconds * 1e9))
    config.job.CopyFrom(wanted)
    check_of_live(config.job.asr_options, "config.job.asr_options")
    check_partials(config.partials, "config.partials")
    check_turns(config.turns, "config.turns")
    if config.refinements and job.FEATURE_CLEAN_TRANSCRIPT not in config.job.features:
        raise invalid(
            Reason.OPTION_NOT_SUPPORTED,
            "Refinements are the clean transcript, which the job does not ask for; add "
            "FEATURE_CLEAN_TRANSCRIPT, or leave `refinements` unset.",
            field="config.refinements",
        )
    check_several(config, wanted=config.several_speakers, field="config.several_speakers")
    return config


def check_several(config: live.SessionConfig, *, wanted: bool, field: str) -> None:
    """Refuses several speakers on a track of a session whose job asks for no speakers.

    Args:
        config: The session's config.
        wanted: Whether a track has several.
        field: Where the client said so.

    Raises:
        StageError: INVALID_ARGUMENT with OPTION_NOT_SUPPORTED.
    """
    if wanted and job.FEATURE_SPEAKERS not in config.job.features:
        raise invalid(
            Reason.OPTION_NOT_SUPPORTED,
            "Speakers are told apart where the job asks for them; add FEATURE_SPEAKERS, or leave "
            "`several_speakers` unset.",
            field=field,
        )


def without_secrets(config: live.SessionConfig) -> live.SessionConfig:
    """The config without the secrets of its webhooks, as clients and the log get it."""
    shown = live.SessionConfig()
    shown.CopyFrom(config)
    for webhook in shown.job.webhooks:
        webhook.ClearField("secret")
    return shown


def settled_join(asked: live.TrackJoin, config: live.SessionConfig) -> live.TrackJoin:
    """A join with the format that the track has.

    Raises:
        StageError: INVALID_ARGUMENT with TRACK_INVALID, AUDIO_FORMAT_INVALID or
            LANGUAGE_INVALID, or OPTION_NOT_SUPPORTED.
    """
    check_track(asked.track)
    name = asked.display_name
    if len(name) > MAX_DISPLAY_NAME_CHARACTERS or not is_harmless(name):
        raise track_invalid(
            f"The display name of a track has at most {MAX_DISPLAY_NAME_CHARACTERS} characters "
            "and no control characters."
        )
    settled = live.TrackJoin()
    settled.CopyFrom(asked)
    wanted = asked.format if asked.HasField("format") else config.format
    settled.format.CopyFrom(settled_format(wanted, "join.format"))
    if not asked.HasField("several_speakers"):
        settled.several_speakers = config.several_speakers
    check_several(config, wanted=settled.several_speakers, field="join.several_speakers")
    spoken = asr.TranscribeOptions(language_code=asked.language_code)
    check_transcribe(spoken, "join")
    return settled


def check_track(name: str) -> None:
    """Refuses a name that is too long or has control characters.

    Raises:
        StageError: INVALID_ARGUMENT with TRACK_INVALID.
    """
    if len(name) > MAX_TRACK_CHARACTERS or not is_harmless(name):
        raise track_invalid(
            f"A track's name has at most {MAX_TRACK_CHARACTERS} characters and no control "
            "characters."
        )


def track_invalid(message: str) -> StageError:
    """The error for a track that cannot be."""
    return invalid(Reason.TRACK_INVALID, message, field="track")


def check_change(change: live.ConfigureSession) -> None:
    """Refuses options that are out of range.

    Raises:
        StageError: INVALID_ARGUMENT naming the invalid field.
    """
    if change.HasField("track"):
        check_track(change.track)
    check_live_transcribe(change.options.transcribe, "configure.options.transcribe")
    check_partials(change.options.partials, "configure.options.partials")
    check_turns(change.options.turns, "configure.options.turns")


def check_end(end: live.EndSession, config: live.SessionConfig) -> None:
    """Refuses to wait for a summary that the session does not make.

    Raises:
        StageError: INVALID_ARGUMENT with SUMMARY_NOT_REQUESTED.
    """
    if end.await_summary and (end.without_summary or not has_summary(config)):
        raise summary_not_requested("end.await_summary")


def has_summary(config: live.SessionConfig) -> bool:
    """Whether a session's config asks for a summary."""
    return job.FEATURE_SUMMARY in config.job.features


def summary_not_requested(field: str) -> StageError:
    """The error for who waits for a summary that is not made."""
    return invalid(Reason.SUMMARY_NOT_REQUESTED, SUMMARY_NOT_REQUESTED, field=field)
