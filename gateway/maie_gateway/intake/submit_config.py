"""Validates the config of a submit and fills in defaults."""

from __future__ import annotations

import re
from collections.abc import Mapping

from maie.job.v1 import job_pb2 as job
from maie_core.durations import seconds
from maie_core.errors import invalid
from maie_core.limits import (
    MAX_CHUNK_SECONDS,
    MAX_DISPLAY_NAME_CHARACTERS,
    MAX_FILENAME_CHARACTERS,
    MAX_LABEL_CHARACTERS,
    MAX_LABEL_KEY_CHARACTERS,
    MAX_LABELS,
    MAX_REQUEST_ID_CHARACTERS,
    MAX_SPEAKER_NAME_CHARACTERS,
    MAX_SPEAKER_NAMES,
    MAX_TEMPLATE_ID_CHARACTERS,
    MAX_VOICE_CHARACTERS,
    MIN_CHUNK_SECONDS,
)
from maie_core.names import is_harmless
from maie_core.options import (
    check_generation,
    check_recording,
    check_speakers,
    check_transcribe,
)
from maie_core.reasons import Reason
from maie_core.speakers import is_speaker
from maie_core.synthesis import check_speed_and_format
from maie_gateway.intake.readings import settle_reading

DEFAULT_FEATURES = (job.FEATURE_CLEAN_TRANSCRIPT, job.FEATURE_SUMMARY)
_TEMPLATE_ID = re.compile(rf"[A-Za-z0-9_-]{{1,{MAX_TEMPLATE_ID_CHARACTERS}}}")
_LABEL_KEY = re.compile(rf"[a-z0-9_-]{{1,{MAX_LABEL_KEY_CHARACTERS}}}")


def settled_config(asked: job.JobConfig) -> job.JobConfig:
    """The config with defaults filled in.

    Raises:
        StageError: INVALID_ARGUMENT naming the invalid field.
    """
    config = job.JobConfig()
    config.CopyFrom(asked)
    features = asked.features or DEFAULT_FEATURES
    del config.features[:]
    config.features.extend(sorted(set(features)))
    _check_features(config)
    _check_filename(config.filename)
    _check_request_id(config.request_id)
    check_display_name(config.display_name, field="config.display_name")
    check_labels(config.labels, field="config.labels")
    _settle_lane(config)
    check_transcribe(config.asr_options, "config.asr_options")
    check_recording(config.recording_options, "config.recording_options")
    _check_speakers(config)
    settle_reading(config)
    _check_digest(config)
    check_generation(config.enhancement_generation, "config.enhancement_generation")
    check_generation(config.summary_generation, "config.summary_generation")
    _check_chunk_duration(config)
    return config


def check_template_id(template_id: str, *, field: str) -> None:
    """Refuses text that cannot be a template id, so that it reaches no path and no message.

    Raises:
        StageError: INVALID_ARGUMENT with FIELD_INVALID.
    """
    if not _TEMPLATE_ID.fullmatch(template_id):
        raise invalid(
            Reason.FIELD_INVALID,
            f"A template id has 1 to {MAX_TEMPLATE_ID_CHARACTERS} characters of a-z, 0-9, _ and -; "
            "ListTemplates shows those there are.",
            field=field,
        )


def _check_filename(filename: str) -> None:
    if len(filename) > MAX_FILENAME_CHARACTERS or not is_harmless(filename):
        raise invalid(
            Reason.FILENAME_INVALID,
            f"A file name has at most {MAX_FILENAME_CHARACTERS} characters and no control "
            "characters, line breaks or direction marks; send another name.",
            field="config.filename",
        )


def _check_request_id(request_id: str) -> None:
    if len(request_id) > MAX_REQUEST_ID_CHARACTERS or not is_harmless(request_id):
        raise invalid(
            Reason.REQUEST_ID_INVALID,
            f"A request id has at most {MAX_REQUEST_ID_CHARACTERS} characters on one line, without "
            "direction marks; a UUID will do.",
            field="config.request_id",
        )


def check_display_name(name: str, *, field: str) -> None:
    """Refuses a display name that is too long or has line breaks or direction marks.

    Raises:
        StageError: INVALID_ARGUMENT with DISPLAY_NAME_INVALID.
    """
    if len(name) > MAX_DISPLAY_NAME_CHARACTERS or not is_harmless(name):
        raise invalid(
            Reason.DISPLAY_NAME_INVALID,
            f"A display name is one line of at most {MAX_DISPLAY_NAME_CHARACTERS} characters, "
            "without control characters and direction marks.",
            field=field,
        )


def check_labels(labels: Mapping[str, str], *, field: str) -> None:
    """Refuses labels that are too many, too long or have invalid keys.

    Raises:
        StageError: INVALID_ARGUMENT with LABELS_INVALID.
    """
    fit = len(labels) <= MAX_LABELS and all(
        _LABEL_KEY.fullmatch(key) and len(value) <= MAX_LABEL_CHARACTERS and is_harmless(value)
        for key, value in labels.items()
    )
    if not fit:
        raise invalid(
            Reason.LABELS_INVALID,
            f"There may be {MAX_LABELS} labels: keys of up to {MAX_LABEL_KEY_CHARACTERS} "
            "characters of a-z, 0-9, _ and -, "
            f"values of up to {MAX_LABEL_CHARACTERS} characters on one line, without direction "
            "marks.",
            field=field,
        )


def check_speaker_names(names: Mapping[str, str], *, field: str) -> None:
    """Refuses names of speakers that are too many, too long or of nobody.

    Raises:
        StageError: INVALID_ARGUMENT with SPEAKER_NAMES_INVALID.
    """
    fit = len(names) <= MAX_SPEAKER_NAMES and all(
        is_speaker(speaker) and len(name) <= MAX_SPEAKER_NAME_CHARACTERS and is_harmless(name)
        for speaker, name in names.items()
    )
    if not fit:
        raise invalid(
            Reason.SPEAKER_NAMES_INVALID,
            f"There may be {MAX_SPEAKER_NAMES} names of speakers, by S1, S2 and so on: each on one "
            f"line of at most {MAX_SPEAKER_NAME_CHARACTERS} characters, without direction marks.",
            field=field,
        )


def _check_speakers(config: job.JobConfig) -> None:
    check_speakers(config.speaker_options, "config.speaker_options")
    if job.FEATURE_SPEAKERS not in config.features:
        config.ClearField("speaker_options")
    elif config.asr_options.HasField("word_time_offsets") and not (
        config.asr_options.word_time_offsets
    ):
        raise invalid(
            Reason.FIELD_INVALID,
            "Speakers are told by the times of words; leave word_time_offsets unset, or do without "
            "speakers.",
            field="config.asr_options.word_time_offsets",
        )


def _check_digest(config: job.JobConfig) -> None:
    options = config.speech_options
    check_speed_and_format(options.speed, options.format, "config.speech_options.")
    if len(options.voice) > MAX_VOICE_CHARACTERS or not is_harmless(options.voice):
        raise invalid(
            Reason.SPEECH_VOICE_UNKNOWN,
            f"The name of a voice has at most {MAX_VOICE_CHARACTERS} characters on one line; "
            "ListVoices shows those there are.",
            field="config.speech_options.voice",
        )
    if job.FEATURE_DIGEST not in config.features:
        config.ClearField("speech_options")
    elif job.FEATURE_SUMMARY not in config.features:
        raise invalid(
            Reason.OPTION_NOT_SUPPORTED,
            "A digest is the summary as speech; add FEATURE_SUMMARY, or leave FEATURE_DIGEST out.",
            field="config.features",
        )


def _settle_lane(config: job.JobConfig) -> None:
    if config.lane not in job.Lane.values():
        raise invalid(
            Reason.LANE_UNKNOWN,
            f"There is no lane {config.lane}; choose LANE_INTERACTIVE or LANE_BATCH.",
            field="config.lane",
        )
    config.lane = config.lane or job.LANE_BATCH


def _check_chunk_duration(config: job.JobConfig) -> None:
    if not config.HasField("chunk_duration"):
        return
    # Not as a timedelta, whose range is smaller than a Duration's.
    wanted = seconds(config.chunk_duration)
    if not MIN_CHUNK_SECONDS <= wanted <= MAX_CHUNK_SECONDS:
        raise invalid(
            Reason.CHUNK_DURATION_INVALID,
            f"A chunk is {MIN_CHUNK_SECONDS} s to {MAX_CHUNK_SECONDS} s long, not {wanted:g} s.",
            field="config.chunk_duration",
        )


def _check_features(config: job.JobConfig) -> None:
    known = [value for value in job.Feature.values() if value != job.FEATURE_UNSPECIFIED]
    for feature in config.features:
        if feature not in known:
            names = ", ".join(job.Feature.Name(value) for value in known)
            raise invalid(
                Reason.FEATURE_UNKNOWN,
                f"There is no feature {feature}; choose from {names}.",
                field="config.features",
            )
    if job.FEATURE_SUMMARY in config.features and not config.template_id:
        raise invalid(
            Reason.TEMPLATE_REQUIRED,
            "A summary needs a template_id; ListTemplates shows those there are.",
            field="config.template_id",
        )
    if config.template_id:
        check_template_id(config.template_id, field="config.template_id")
    if job.FEATURE_SUMMARY not in config.features:
        config.ClearField("template_id")
