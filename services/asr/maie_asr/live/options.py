"""The options of a live track: a client's, with the service's settings for what it leaves unset."""

from __future__ import annotations

from dataclasses import dataclass

from maie.asr.v1 import streaming_pb2 as streaming
from maie_asr.engine import Capabilities, RecognizeOptions
from maie_asr.options import recognize_options, suspect_text_policy
from maie_asr.settings import AsrSettings
from maie_core.durations import duration, seconds
from maie_core.live_options import (
    check_of_live,
    check_partials,
    check_turns,
    overlay,
    turn_model_missing,
)
from maie_speech.turns import QuestionRules, TurnRules, question_rules, turn_rules


@dataclass(kw_only=True, frozen=True, slots=True)
class TrackOptions:
    """What a track is recognised by.

    Attributes:
        recognize: How to read an utterance.
        without_loops: Whether text that repeats itself is left out.
        partials: Whether partial results come.
        interval: The time between two, in seconds of audio.
        min_stability: The least stability of their text, 0 to 1.
        rules: When an utterance begins and ends.
        eager_end: Whether a probable end is announced.
        message: All of this, as the contract has it.
    """

    recognize: RecognizeOptions
    without_loops: bool
    partials: bool
    interval: float
    min_stability: float
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
    check_of_live(asked.transcribe, "options.transcribe")
    if asked.turns.detector == streaming.TURN_DETECTOR_MODEL and not settings.live.turn_engine:
        raise turn_model_missing("options.turns.detector")
    recognize = recognize_options(
        asked.transcribe, settings.model_copy(update={"translate": False}), capabilities
    )
    message = _filled(asked, settings, recognize)
    turns = message.turns
    check_partials(message.partials, "options.partials")
    check_turns(turns, "options.turns")
    threshold = turns.threshold if turns.HasField("threshold") else None
    return TrackOptions(
        recognize=recognize,
        without_loops=suspect_text_policy(asked.transcribe, settings) == "remove",
        partials=message.partials.enabled,
        interval=seconds(message.partials.interval),
        min_stability=message.partials.min_stability,
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
    message.partials.interval.CopyFrom(duration(live.partial_interval_seconds))
    message.partials.min_stability = live.partial_min_stability
    turns = message.turns
    turns.detector = _DETECTORS[live.turn_detector]
    if live.threshold is not None:
        # Unset, it depends on the band of the sound.
        turns.threshold = live.threshold
    turns.min_silence.CopyFrom(duration(live.min_silence_seconds))
    turns.eager_silence.CopyFrom(duration(live.eager_silence_seconds))
    turns.eager_end = live.eager_end
    turns.max_utterance.CopyFrom(duration(live.max_utterance_seconds))
    turns.end_threshold = live.turn_end_threshold
    turns.max_silence.CopyFrom(duration(live.turn_max_silence_seconds))
    overlay(message, asked)
    message.transcribe.language_code = asked.transcribe.language_code or recognize.language
    if not asked.turns.HasField("eager_silence"):
        shortest = min(live.eager_silence_seconds, seconds(turns.min_silence))
        turns.eager_silence.CopyFrom(duration(shortest))
    return message


_DETECTORS = {
    "vad": streaming.TURN_DETECTOR_VAD,
    "client": streaming.TURN_DETECTOR_CLIENT,
    "model": streaming.TURN_DETECTOR_MODEL,
}
