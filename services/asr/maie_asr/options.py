"""Merges the options of a request with the settings."""

from __future__ import annotations

from typing import Any

from google.protobuf.duration_pb2 import Duration

from maie.asr.v1 import asr_pb2 as asr
from maie_asr.engine import Capabilities, Decoding, RecognizeOptions
from maie_asr.messages import capability_names
from maie_asr.settings import AsrSettings, SuspectTextPolicy
from maie_core.errors import invalid
from maie_core.options import check_capable, check_transcribe, option_not_supported
from maie_core.reasons import Reason

POLICIES: dict[asr.SuspectTextPolicy, SuspectTextPolicy] = {
    asr.SUSPECT_TEXT_POLICY_OFF: "off",
    asr.SUSPECT_TEXT_POLICY_REPORT: "report",
    asr.SUSPECT_TEXT_POLICY_REMOVE: "remove",
}


def recognize_options(
    request: asr.TranscribeOptions, settings: AsrSettings, capabilities: Capabilities
) -> RecognizeOptions:
    """The options for the engine.

    Args:
        request: The client's options.
        settings: The values of the options that the client leaves unset.
        capabilities: What the engine can do.

    Raises:
        StageError: INVALID_ARGUMENT with LANGUAGE_NOT_SUPPORTED,
            OPTION_NOT_SUPPORTED or OPTION_OUT_OF_RANGE.
    """
    check_capable(request, capability_names(capabilities), "options")
    check_transcribe(request, "options")
    word_times = settings.word_time_offsets
    if request.HasField("word_time_offsets"):
        word_times = request.word_time_offsets
    return RecognizeOptions(
        language=_language(request.language_code or settings.language_code, capabilities),
        hotwords=tuple(request.hotwords) or settings.hotwords,
        word_times=word_times,
        translate=_translate(request, settings, capabilities),
        initial_prompt=request.initial_prompt if request.HasField("initial_prompt") else None,
        decoding=_decoding(request),
    )


def suspect_text_policy(request: asr.TranscribeOptions, settings: AsrSettings) -> SuspectTextPolicy:
    """What to do with text that was probably never spoken."""
    return POLICIES.get(request.suspect_text_policy, settings.suspect_text.policy)


def _language(tag: str, capabilities: Capabilities) -> str:
    known = capabilities.language_codes
    language = tag.replace("_", "-").partition("-")[0].lower()
    if language and known and language not in known:
        shown = ", ".join(known) if len(known) <= 10 else f"{len(known)} others"
        raise invalid(
            Reason.LANGUAGE_NOT_SUPPORTED,
            f"The ASR engine does not support the language {tag!r}; it supports {shown}.",
            field="options.language_code",
        )
    # An engine with one language needs none.
    return language or (known[0] if len(known) == 1 else "")


def _translate(
    request: asr.TranscribeOptions, settings: AsrSettings, capabilities: Capabilities
) -> bool:
    translate = settings.translate
    if request.task:
        translate = request.task == asr.TRANSCRIBE_TASK_TRANSLATE
    if translate and not capabilities.translates:
        raise option_not_supported("options.task", "translate")
    return translate


def _decoding(request: asr.TranscribeOptions) -> Decoding:
    asked = request.decoding
    chosen: dict[str, Any] = {field.name: value for field, value in asked.ListFields()}
    return Decoding(
        **{**chosen, "temperatures": tuple(asked.temperatures)}, **_silence(request.silence)
    )


def _silence(asked: asr.SilenceOptions) -> dict[str, Any]:
    chosen: dict[str, Any] = {}
    if asked.HasField("vad_filter"):
        chosen["vad_filter"] = asked.vad_filter
    if asked.HasField("min_silence"):
        chosen["min_silence_ms"] = _milliseconds(asked.min_silence)
    if asked.HasField("speech_pad"):
        chosen["speech_pad_ms"] = _milliseconds(asked.speech_pad)
    if asked.HasField("threshold"):
        chosen["vad_threshold"] = asked.threshold
    return chosen


def _milliseconds(length: Duration) -> int:
    return round(length.seconds * 1000 + length.nanos / 1e6)
