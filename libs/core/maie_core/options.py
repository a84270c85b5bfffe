"""Checks clients' options and their ranges, at submit and in the services."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message

from maie.asr.v1 import asr_pb2 as asr
from maie.common.v1 import types_pb2 as common
from maie.diarization.v1 import diarization_pb2 as diarization
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_core.durations import seconds
from maie_core.errors import StageError, invalid
from maie_core.limits import (
    MAX_HOTWORD_CHARACTERS,
    MAX_HOTWORDS,
    MAX_LANGUAGE_CHARACTERS,
    MAX_PROMPT_CHARACTERS,
    MAX_SPEAKERS,
    MAX_TEMPERATURES,
)
from maie_core.names import check_text, is_harmless
from maie_core.reasons import Reason

# A tag of RFC 5646.
_LANGUAGE = re.compile(rf"(?=.{{0,{MAX_LANGUAGE_CHARACTERS}}}\Z)[A-Za-z0-9]+([-_][A-Za-z0-9]+)*")
# Capabilities of ASR workers.
TRANSLATION = "translation"
DECODING_OPTIONS = "decoding_options"
# A model says when a live speaker is done.
TURN_MODEL = "turn_model"
_DECODING_ACTIONS = {
    "initial_prompt": "take an initial prompt",
    "decoding": "take decoding options",
    "silence": "take decoding options",
}


@dataclass(kw_only=True, frozen=True, slots=True)
class _Range:
    """The range of a number, both ends included; NaN is never in it.

    Attributes:
        low: The least value.
        high: The greatest value.
        open: Whether `low` itself is excluded.
        below: Whether `high` itself is excluded.
        unit: The unit; empty for plain numbers.
    """

    low: float = -inf
    high: float = inf
    open: bool = False
    below: bool = False
    unit: str = ""

    def __contains__(self, figure: float) -> bool:
        if (self.open and figure == self.low) or (self.below and figure == self.high):
            return False
        return self.low <= figure <= self.high

    def __str__(self) -> str:
        return f"{self._words()} {self.unit}".rstrip()

    def _words(self) -> str:
        low = f"above {self.low:.12g}" if self.open else f"from {self.low:.12g}"
        if self.high == inf:
            return low
        if self.below:
            return f"{low} and below {self.high:.12g}"
        return f"{low} to {self.high:.12g}" if self.low > -inf else f"at most {self.high:.12g}"


# As maie.common.v1.GenerationOptions says.
_GENERATION = {
    "temperature": _Range(low=0, high=2),
    "top_p": _Range(low=0, high=1, open=True),
    "top_k": _Range(low=0, high=100_000),
    "min_p": _Range(low=0, high=1),
    "repetition_penalty": _Range(low=0, high=2, open=True),
    "presence_penalty": _Range(low=-2, high=2),
    "frequency_penalty": _Range(low=-2, high=2),
    "seed": _Range(low=0, high=2**31 - 1),
    "max_tokens": _Range(low=1, high=1_000_000),
}
# As maie.asr.v1.DecodingOptions says.
_DECODING = {
    "beam_size": _Range(low=1, high=32),
    "temperatures": _Range(low=0, high=1),
    "compression_ratio_threshold": _Range(low=0, open=True),
    "log_prob_threshold": _Range(high=0),
    "no_speech_threshold": _Range(low=0, high=1),
}
# As maie.asr.v1.SilenceOptions says.
_SILENCE = {
    "min_silence": _Range(low=0, high=60, unit="seconds"),
    "speech_pad": _Range(low=0, high=10, unit="seconds"),
    "threshold": _Range(low=0, high=1, open=True, below=True),
}
# As maie.diarization.v1.SpeakerOptions says.
_SPEAKERS = dict.fromkeys(
    ("speaker_count", "min_speaker_count", "max_speaker_count"), _Range(low=1, high=MAX_SPEAKERS)
)


def check_speakers(options: diarization.SpeakerOptions, field: str) -> None:
    """Refuses numbers of speakers that are out of range or contradict each other.

    Args:
        options: What is known of the speakers.
        field: Where it stands in the request.

    Raises:
        StageError: INVALID_ARGUMENT with OPTION_OUT_OF_RANGE naming the field.
    """
    _check(options, _SPEAKERS, field)
    bounds = [name for name in ("min_speaker_count", "max_speaker_count") if options.HasField(name)]
    if options.HasField("speaker_count") and bounds:
        raise invalid(
            Reason.OPTION_OUT_OF_RANGE,
            f"Either the number of speakers is known or its bounds are; set speaker_count or "
            f"{bounds[0]}, not both.",
            field=f"{field}.{bounds[0]}",
        )
    if len(bounds) == 2 and options.min_speaker_count > options.max_speaker_count:
        raise invalid(
            Reason.OPTION_OUT_OF_RANGE,
            f"There cannot be at least {options.min_speaker_count} and at most "
            f"{options.max_speaker_count} speakers; correct one of them.",
            field=f"{field}.min_speaker_count",
        )


def check_recording(options: preprocess.RecordingOptions, field: str) -> None:
    """Refuses an unknown channel mode, and invalid tracks.

    Args:
        options: Which sound of a recording is wanted.
        field: Where they stand in the request.

    Raises:
        StageError: INVALID_ARGUMENT with OPTION_OUT_OF_RANGE naming the field.
    """
    if options.channels not in preprocess.ChannelMode.values():
        raise invalid(
            Reason.OPTION_OUT_OF_RANGE,
            f"There is no channel mode {options.channels}; choose CHANNEL_MODE_MIX, "
            "CHANNEL_MODE_SPLIT or CHANNEL_MODE_AUTO.",
            field=f"{field}.channels",
        )
    if options.track < 0:
        raise invalid(
            Reason.OPTION_OUT_OF_RANGE,
            f"Tracks count from 1, so that there is no track {options.track}; leave it 0 for "
            "the file's default.",
            field=f"{field}.track",
        )
    if options.track and options.all_tracks:
        raise invalid(
            Reason.OPTION_OUT_OF_RANGE,
            "Either one track is read or all are; set track or all_tracks, not both.",
            field=f"{field}.track",
        )


def check_capable(
    options: asr.TranscribeOptions, capabilities: Collection[str], field: str
) -> None:
    """Refuses options that an ASR engine does not support.

    Args:
        options: What a client said.
        capabilities: What the engine can do, as `ModelInfo.capabilities` names it.
        field: Where the client said so, such as "config.asr_options".

    Raises:
        StageError: INVALID_ARGUMENT with OPTION_NOT_SUPPORTED.
    """
    if options.task == asr.TRANSCRIBE_TASK_TRANSLATE and TRANSLATION not in capabilities:
        raise option_not_supported(f"{field}.task", "translate")
    for name, action in _DECODING_ACTIONS.items():
        if options.HasField(name) and DECODING_OPTIONS not in capabilities:
            raise option_not_supported(f"{field}.{name}", action)


def option_not_supported(field: str, action: str) -> StageError:
    """The error for an option that the ASR engine does not support.

    Args:
        field: The option, such as "options.task".
        action: What it asks for, such as "translate".
    """
    name = field.rpartition(".")[2]
    return invalid(
        Reason.OPTION_NOT_SUPPORTED,
        f"The ASR engine cannot {action}; leave `{name}` unset, or configure another engine.",
        field=field,
    )


def check_generation(options: common.GenerationOptions, field: str) -> None:
    """Refuses options that are out of range.

    Args:
        options: What a client said.
        field: Where it said so, such as "config.summary_generation".

    Raises:
        StageError: INVALID_ARGUMENT with OPTION_OUT_OF_RANGE.
    """
    _check(options, _GENERATION, field)


def check_transcribe(options: asr.TranscribeOptions, field: str) -> None:
    """Refuses options that are out of range, and invalid words.

    Args:
        options: What a client said.
        field: Where it said so, such as "config.asr_options".

    Raises:
        StageError: INVALID_ARGUMENT with OPTION_OUT_OF_RANGE, LANGUAGE_INVALID,
            HOTWORDS_INVALID or FIELD_INVALID.
    """
    _check_words(options, field)
    if len(options.initial_prompt) > MAX_PROMPT_CHARACTERS:
        words = f"at most {MAX_PROMPT_CHARACTERS} characters long"
        raise _out_of_range(f"{field}.initial_prompt", words)
    if len(options.decoding.temperatures) > MAX_TEMPERATURES:
        raise _out_of_range(f"{field}.decoding.temperatures", f"at most {MAX_TEMPERATURES} figures")
    _check(options.decoding, _DECODING, f"{field}.decoding")
    _check(options.silence, _SILENCE, f"{field}.silence")


def _check_words(options: asr.TranscribeOptions, field: str) -> None:
    if options.language_code and not _LANGUAGE.fullmatch(options.language_code):
        raise invalid(
            Reason.LANGUAGE_INVALID,
            "A language code is a BCP 47 tag of at most "
            f"{MAX_LANGUAGE_CHARACTERS} characters, such as en-GB.",
            field=f"{field}.language_code",
        )
    fit = all(
        len(word) <= MAX_HOTWORD_CHARACTERS and is_harmless(word) for word in options.hotwords
    )
    if len(options.hotwords) > MAX_HOTWORDS or not fit:
        raise invalid(
            Reason.HOTWORDS_INVALID,
            f"There may be {MAX_HOTWORDS} hotwords of {MAX_HOTWORD_CHARACTERS} characters each, "
            "on one line and without direction marks; correct them.",
            field=f"{field}.hotwords",
        )
    check_text(options.initial_prompt, field=f"{field}.initial_prompt")


def _check(options: Message, ranges: Mapping[str, _Range], field: str) -> None:
    for each, value in options.ListFields():
        allowed = ranges.get(each.name)
        if allowed is not None and not all(figure in allowed for figure in _figures(value)):
            raise _out_of_range(f"{field}.{each.name}", str(allowed))


def _figures(value: Any) -> list[float]:
    if isinstance(value, int | float):
        return [value]
    if isinstance(value, Duration):
        return [seconds(value)]
    return list(value)


def _out_of_range(field: str, words: str) -> StageError:
    name = field.partition(".")[2]
    return invalid(Reason.OPTION_OUT_OF_RANGE, f"`{name}` must be {words}.", field=field)
