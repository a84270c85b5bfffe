"""The options of live speech: their ranges, and how changes apply."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import Message

from maie.asr.v1 import asr_pb2 as asr
from maie.asr.v1 import streaming_pb2 as streaming
from maie_core.durations import seconds
from maie_core.errors import StageError, invalid
from maie_core.options import check_transcribe, option_not_supported
from maie_core.reasons import Reason

# As maie.asr.v1 documents them; in seconds, but for thresholds.
MIN_INTERVAL, MAX_INTERVAL = 0.2, 10.0
MIN_STABILITY, MAX_STABILITY = 0.0, 1.0
MIN_THRESHOLD, MAX_THRESHOLD = 0.05, 0.95
MIN_SILENCE, MAX_SILENCE = 0.1, 5.0
MIN_UTTERANCE, MAX_UTTERANCE = 2.0, 28.0
MIN_LONGEST_SILENCE, MAX_LONGEST_SILENCE = 0.5, 10.0
_FOR_RECORDINGS = {
    "temperatures": "try several temperatures in live speech",
    "condition_on_previous_text": "read live speech by the text before it",
}
# Options whose fields are set one by one; all others are replaced as a whole.
_GROUPS = (
    streaming.StreamingOptions,
    streaming.PartialOptions,
    streaming.TurnOptions,
    asr.TranscribeOptions,
    asr.DecodingOptions,
    asr.SilenceOptions,
)


def check_live_transcribe(options: asr.TranscribeOptions, field: str) -> None:
    """Refuses options that are out of range or for recordings alone.

    Args:
        options: What a client said.
        field: Where it said so, such as "config.job.asr_options".

    Raises:
        StageError: INVALID_ARGUMENT with OPTION_NOT_SUPPORTED, or as `check_transcribe`.
    """
    check_transcribe(options, field)
    check_of_live(options, field)


def check_of_live(options: asr.TranscribeOptions, field: str) -> None:
    """Refuses options that are for recordings alone, of those that `check_transcribe` accepts."""
    if options.task == asr.TRANSCRIBE_TASK_TRANSLATE:
        raise option_not_supported(f"{field}.task", "translate live speech")
    if options.HasField("silence"):
        raise option_not_supported(
            f"{field}.silence", "cut silence out of live speech, which `turns` does"
        )
    set_names = {each.name for each, _ in options.decoding.ListFields()}
    for name, action in _FOR_RECORDINGS.items():
        if name in set_names:
            raise option_not_supported(f"{field}.decoding.{name}", action)


def check_partials(options: streaming.PartialOptions, field: str) -> None:
    """Refuses a cadence or a stability that is out of range.

    Raises:
        StageError: INVALID_ARGUMENT with OPTION_OUT_OF_RANGE.
    """
    if options.HasField("interval"):
        _check(f"{field}.interval", seconds(options.interval), MIN_INTERVAL, MAX_INTERVAL)
    if options.HasField("min_stability"):
        _check(f"{field}.min_stability", options.min_stability, MIN_STABILITY, MAX_STABILITY)


def check_turns(options: streaming.TurnOptions, field: str) -> None:
    """Refuses rules of utterances that are out of range.

    Raises:
        StageError: INVALID_ARGUMENT with OPTION_OUT_OF_RANGE.
    """
    if options.detector not in streaming.TurnDetector.values():
        raise invalid(
            Reason.OPTION_OUT_OF_RANGE,
            f"There is no turn detector {options.detector}; choose TURN_DETECTOR_VAD, "
            "TURN_DETECTOR_CLIENT or TURN_DETECTOR_MODEL.",
            field=f"{field}.detector",
        )
    if options.HasField("threshold"):
        _check(f"{field}.threshold", options.threshold, MIN_THRESHOLD, MAX_THRESHOLD)
    if options.HasField("end_threshold"):
        _check(f"{field}.end_threshold", options.end_threshold, MIN_THRESHOLD, MAX_THRESHOLD)
    if options.HasField("max_silence"):
        longest = seconds(options.max_silence)
        _check(f"{field}.max_silence", longest, MIN_LONGEST_SILENCE, MAX_LONGEST_SILENCE)
    if options.HasField("min_silence"):
        _check(f"{field}.min_silence", seconds(options.min_silence), MIN_SILENCE, MAX_SILENCE)
    if eager := seconds(options.eager_silence):
        most = seconds(options.min_silence) if options.HasField("min_silence") else MAX_SILENCE
        _check(f"{field}.eager_silence", eager, MIN_SILENCE, most)
    if options.HasField("max_utterance"):
        longest = seconds(options.max_utterance)
        _check(f"{field}.max_utterance", longest, MIN_UTTERANCE, MAX_UTTERANCE)


def overlay(base: streaming.StreamingOptions, changes: streaming.StreamingOptions) -> None:
    """Sets in `base` what is set in `changes`. Lists and durations are replaced, not joined."""
    _overlay(base, changes)


def turn_model_missing(field: str) -> StageError:
    """The error where no model can say that a speaker is done.

    Args:
        field: The option, such as "config.turns.detector".
    """
    return option_not_supported(field, "find the ends of utterances by a model")


def _check(field: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise invalid(
            Reason.OPTION_OUT_OF_RANGE,
            f"`{field.partition('.')[2]}` must be from {low:.12g} to {high:.12g}.",
            field=field,
        )


def _overlay(base: Any, changes: Message) -> None:
    for field, value in changes.ListFields():
        if isinstance(value, _GROUPS):
            getattr(base, field.name).SetInParent()
            _overlay(getattr(base, field.name), value)
            continue
        base.ClearField(field.name)
        if isinstance(value, Message):
            getattr(base, field.name).CopyFrom(value)
        elif isinstance(value, str | bool | int | float):
            setattr(base, field.name, value)
        else:
            getattr(base, field.name).extend(value)
