"""The arguments for faster-whisper, from the engine's settings and a request's options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maie_asr.engine import Decoding, RecognizeOptions
from maie_asr.engines.whisper.pauses import PauseRules
from maie_asr.settings import WhisperSettings
from maie_core.errors import invalid
from maie_core.reasons import Reason

# The library's batched pipeline decodes each window once, without the text before it.
UNBATCHED_ONLY = (
    "compression_ratio_threshold",
    "log_prob_threshold",
    "no_speech_threshold",
    "condition_on_previous_text",
    "hallucination_silence_threshold",
)


def transcribe_arguments(
    settings: WhisperSettings, options: RecognizeOptions, *, distilled: bool
) -> dict[str, Any]:
    """The arguments of `transcribe`, without those that the library would ignore.

    Args:
        settings: The engine's settings.
        options: The request's options.
        distilled: Whether the model is a distil one, which loops with its own text as context.

    Raises:
        StageError: INVALID_ARGUMENT with OPTION_NOT_SUPPORTED if a request needs what the batched
            pipeline cannot do, or sampling where results must be reproducible.
    """
    decoding = options.decoding
    if settings.reproducible and any(decoding.temperatures):
        raise invalid(
            Reason.OPTION_NOT_SUPPORTED,
            "With MAIE_ASR_WHISPER_REPRODUCIBLE the decoder does not sample; leave `temperatures` "
            "unset, or set them to 0.",
            field="options.decoding.temperatures",
        )
    batched = settings.batch_size > 1 and not options.alone
    if batched:
        _refuse_unbatched(decoding)
    prompt = settings.initial_prompt if options.initial_prompt is None else options.initial_prompt
    arguments: dict[str, Any] = {
        "task": "translate" if options.translate else "transcribe",
        "language": options.language or None,
        "hotwords": ", ".join(options.hotwords) or None,
        "initial_prompt": prompt or None,
        "word_timestamps": options.word_times,
        "beam_size": _either(decoding.beam_size, settings.beam_size),
        "temperature": list(decoding.temperatures or settings.temperature),
        # Without timestamps a window is one segment, up to 30 s long.
        "without_timestamps": False,
        **({"vad_filter": False} if options.alone else _silence(settings, decoding)),
    }
    if batched:
        first = arguments["temperature"][:1]
        return {**arguments, "temperature": first, "batch_size": settings.batch_size}
    independent = distilled or options.alone
    return {**arguments, **_thresholds(settings, decoding, independent=independent)}


def pause_rules(arguments: Mapping[str, Any]) -> PauseRules | None:
    """Which pauses to cut out by the chunk's speech ranges.

    Args:
        arguments: The result of `transcribe_arguments`.

    Returns:
        None if nothing is cut out, or if a threshold is set and the library's own VAD does it.
    """
    parameters = arguments.get("vad_parameters")
    if parameters is None or "threshold" in parameters:
        return None
    return PauseRules(
        min_silence_ms=parameters["min_silence_duration_ms"],
        speech_pad_ms=parameters["speech_pad_ms"],
    )


def without_vad(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The same arguments without the library's VAD."""
    rest = {name: value for name, value in arguments.items() if name != "vad_parameters"}
    return {**rest, "vad_filter": False}


def _refuse_unbatched(decoding: Decoding) -> None:
    asked = [name for name in UNBATCHED_ONLY if getattr(decoding, name, None) is not None]
    if len(decoding.temperatures) > 1:
        asked.append("temperatures")
    if asked:
        raise invalid(
            Reason.OPTION_NOT_SUPPORTED,
            f"With MAIE_ASR_WHISPER_BATCH_SIZE above 1 each window is decoded once, so "
            f"`{asked[0]}` has no effect; leave it unset.",
            field=f"options.decoding.{asked[0]}",
        )
    if decoding.vad_filter is False:
        raise invalid(
            Reason.OPTION_NOT_SUPPORTED,
            "With MAIE_ASR_WHISPER_BATCH_SIZE above 1 the VAD cuts the windows; "
            "leave `vad_filter` unset.",
            field="options.silence.vad_filter",
        )


def _thresholds(
    settings: WhisperSettings, decoding: Decoding, *, independent: bool
) -> dict[str, Any]:
    condition = _either(decoding.condition_on_previous_text, settings.condition_on_previous_text)
    return {
        "compression_ratio_threshold": _either(
            decoding.compression_ratio_threshold, settings.compression_ratio_threshold
        ),
        "log_prob_threshold": _either(decoding.log_prob_threshold, settings.log_prob_threshold),
        "no_speech_threshold": _either(decoding.no_speech_threshold, settings.no_speech_threshold),
        "condition_on_previous_text": condition and not independent,
        "hallucination_silence_threshold": settings.hallucination_silence_threshold,
    }


def _silence(settings: WhisperSettings, decoding: Decoding) -> dict[str, Any]:
    if not _either(decoding.vad_filter, settings.vad_filter):
        return {"vad_filter": False}
    parameters = {
        "min_silence_duration_ms": _either(decoding.min_silence_ms, settings.vad_min_silence_ms),
        "speech_pad_ms": _either(decoding.speech_pad_ms, settings.vad_speech_pad_ms),
    }
    threshold = _either(decoding.vad_threshold, settings.vad_threshold)
    if threshold is not None:
        parameters["threshold"] = threshold
    return {"vad_filter": True, "vad_parameters": parameters}


def _either(asked: Any, otherwise: Any) -> Any:
    return otherwise if asked is None else asked
