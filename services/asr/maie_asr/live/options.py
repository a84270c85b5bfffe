"""The options of a live track: a client's, with the service's settings for what it leaves unset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message

from maie.asr.v1 import asr_pb2 as asr
from maie.asr.v1 import streaming_pb2 as streaming
from maie_asr.engine import Capabilities, RecognizeOptions
from maie_asr.options import recognize_options, suspect_text_policy
from maie_asr.settings import AsrSettings
from maie_core.durations import seconds
from maie_core.errors import invalid
from maie_core.live_options import turn_model_missing
from maie_core.options import option_not_supported
from maie_core.reasons import Reason
from maie_speech.turns import QuestionRules, TurnRules, question_rules, turn_rules

# As maie.asr.v1 documents them; in seconds, but for thresholds.
MIN_INTERVAL, MAX_INTERVAL = 0.2, 10.0
MIN_THRESHOLD, MAX_THRESHOLD = 0.05, 0.95
MIN_SILENCE, MAX_SILENCE = 0.1, 5.0
MIN_UTTERANCE, MAX_UTTERANCE = 2.0, 28.0
MIN_LONGEST_SILENCE, MAX_LONGEST_SILENCE = 0.5, 10.0
# Options whose fields are set one by one; all others are replaced as a whole.
_GROUPS = (
    streaming.StreamingOptions,
    streaming.PartialOptions,
    streaming.TurnOptions,
    asr.TranscribeOptions,
    asr.DecodingOptions,
    asr.SilenceOptions,
)
_FOR_RECORDINGS = {
    "decoding.temperatures": "try several temperatures in live speech",
    "decoding.condition_on_previous_text": "read live speech by the text before it",
}


@dataclass(kw_only=True, frozen=True, slots=True)
class TrackOptions:
    """What a track is recognised by.

    Attributes:
        recognize: How to read an utterance.
        without_loops: Whether text that repeats itself is left out.
        partials: Whether partial results come.
        interval: The time between two, in seconds of audio.
        rules: When an utterance begins and ends.
        eager_end: Whether a probable end is announced.
        message: All of this, as the contract has it.
    """

    recognize: RecognizeOptions
    without_loops: bool
    partials: bool
    interval: float
    rules: TurnRules
    eager_end: bool
    message: streaming.StreamingOptions


def track_options(
    asked: streaming.StreamingOptions, settings: AsrSettings, capabilities: Capabilities
) -> TrackOptions:
    """Checks a client's options, and fills in the settings.

    Args:
        asked: The client's options.
        settings: The values of what it leaves unset.
        capabilities: What the engine can do.

    Raises:
        StageError: INVALID_ARGUMENT with OPTION_OUT_OF_RANGE, OPTION_NOT_SUPPORTED and those of
            `recognize_options`.
    """
    _check_live(asked.transcribe)
    if asked.turns.detector == streaming.TURN_DETECTOR_MODEL and not settings.live.turn_engine:
        raise turn_model_missing("options.turns.detector")
    recognize = recognize_options(
        asked.transcribe, settings.model_copy(update={"translate": False}), capabilities
    )
    message = _filled(asked, settings, recognize)
    turns = message.turns
    _check_ranges(message)
    threshold = turns.threshold if turns.HasField("threshold") else None
    return TrackOptions(
        recognize=recognize,
        without_loops=suspect_text_policy(asked.transcribe, settings) == "remove",
        partials=message.partials.enabled,
        interval=seconds(message.partials.interval),
        rules=turn_rules(
            threshold=threshold,
            min_silence_seconds=seconds(turns.min_silence),
            eager_silence_seconds=seconds(turns.eager_silence),
            max_utterance_seconds=seconds(turns.max_utterance),
            by_silence=turns.detector != streaming.TURN_DETECTOR_CLIENT,
            questions=_questions(turns, settings),
        ),
        eager_end=turns.eager_end,
        message=message,
    )


def _questions(turns: streaming.TurnOptions, settings: AsrSettings) -> QuestionRules | None:
    if turns.detector != streaming.TURN_DETECTOR_MODEL:
        return None
    return question_rules(
        threshold=turns.end_threshold,
        interval_seconds=settings.live.turn_interval_seconds,
        max_silence_seconds=seconds(turns.max_silence),
    )


def overlay(base: streaming.StreamingOptions, changes: streaming.StreamingOptions) -> None:
    """Sets in `base` what is set in `changes`."""
    _overlay(base, changes)


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


def _check_live(asked: asr.TranscribeOptions) -> None:
    """Refuses what is for recordings alone."""
    if asked.task == asr.TRANSCRIBE_TASK_TRANSLATE:
        raise option_not_supported("options.transcribe.task", "translate live speech")
    if asked.HasField("silence"):
        raise option_not_supported(
            "options.transcribe.silence", "cut silence out of live speech, which `turns` does"
        )
    for path, action in _FOR_RECORDINGS.items():
        name = path.rpartition(".")[2]
        if any(field.name == name for field, _ in asked.decoding.ListFields()):
            raise option_not_supported(f"options.transcribe.{path}", action)


def _filled(
    asked: streaming.StreamingOptions, settings: AsrSettings, recognize: RecognizeOptions
) -> streaming.StreamingOptions:
    """The settings, and over them the client's options."""
    live = settings.live
    message = streaming.StreamingOptions()
    message.transcribe.language_code = recognize.language
    message.transcribe.hotwords.extend(recognize.hotwords)
    message.transcribe.word_time_offsets = recognize.word_times
    message.partials.enabled = live.partials
    message.partials.interval.CopyFrom(_duration(live.partial_interval_seconds))
    turns = message.turns
    turns.detector = _DETECTORS[live.turn_detector]
    if live.threshold is not None:
        # Unset, it depends on the band of the sound.
        turns.threshold = live.threshold
    turns.min_silence.CopyFrom(_duration(live.min_silence_seconds))
    turns.eager_silence.CopyFrom(_duration(live.eager_silence_seconds))
    turns.eager_end = live.eager_end
    turns.max_utterance.CopyFrom(_duration(live.max_utterance_seconds))
    turns.end_threshold = live.turn_end_threshold
    turns.max_silence.CopyFrom(_duration(live.turn_max_silence_seconds))
    _overlay(message, asked)
    message.transcribe.language_code = asked.transcribe.language_code or recognize.language
    if not asked.turns.HasField("eager_silence"):
        shortest = min(live.eager_silence_seconds, seconds(turns.min_silence))
        turns.eager_silence.CopyFrom(_duration(shortest))
    if turns.detector not in _DETECTORS.values():
        turns.detector = _DETECTORS[live.turn_detector]
    return message


_DETECTORS = {
    "vad": streaming.TURN_DETECTOR_VAD,
    "client": streaming.TURN_DETECTOR_CLIENT,
    "model": streaming.TURN_DETECTOR_MODEL,
}


def _check_ranges(message: streaming.StreamingOptions) -> None:
    turns = message.turns
    silence = seconds(turns.min_silence)
    interval = seconds(message.partials.interval)
    _check("partials.interval", interval, MIN_INTERVAL, MAX_INTERVAL)
    if turns.HasField("threshold"):
        _check("turns.threshold", turns.threshold, MIN_THRESHOLD, MAX_THRESHOLD)
    _check("turns.min_silence", silence, MIN_SILENCE, MAX_SILENCE)
    if eager := seconds(turns.eager_silence):
        _check("turns.eager_silence", eager, MIN_SILENCE, silence)
    _check("turns.end_threshold", turns.end_threshold, MIN_THRESHOLD, MAX_THRESHOLD)
    longest = seconds(turns.max_silence)
    _check("turns.max_silence", longest, MIN_LONGEST_SILENCE, MAX_LONGEST_SILENCE)
    _check("turns.max_utterance", seconds(turns.max_utterance), MIN_UTTERANCE, MAX_UTTERANCE)


def _check(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise invalid(
            Reason.OPTION_OUT_OF_RANGE,
            f"`{name}` must be from {low:.12g} to {high:.12g}.",
            field=f"options.{name}",
        )


def _duration(value: float) -> Duration:
    duration = Duration()
    duration.FromMicroseconds(round(value * 1e6))
    return duration
