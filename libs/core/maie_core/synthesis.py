"""Checks what is asked of a voice, in the gateway and in the service."""

from __future__ import annotations

from maie.speech.v1 import speech_pb2 as speech
from maie_core.errors import invalid
from maie_core.limits import MAX_SPEECH_CHARACTERS, MAX_SPEECH_SPEED, MIN_SPEECH_SPEED
from maie_core.reasons import Reason


def check_synthesis(request: speech.SynthesizeRequest) -> None:
    """Refuses a request that no voice can serve.

    Raises:
        StageError: INVALID_ARGUMENT with TEXT_NOT_SPEAKABLE, TEXT_TOO_LONG or OPTION_OUT_OF_RANGE.
    """
    if not request.text.strip():
        raise invalid(
            Reason.TEXT_NOT_SPEAKABLE, "There is no text to speak; set `text`.", field="text"
        )
    check_speed_and_format(request.speed, request.format)
    if len(request.text) > MAX_SPEECH_CHARACTERS:
        raise invalid(
            Reason.TEXT_TOO_LONG,
            f"The text has {len(request.text)} characters, and a call speaks at most "
            f"{MAX_SPEECH_CHARACTERS}; send it in several calls.",
            field="text",
        )


def check_speed_and_format(speed: float, audio_format: int, field: str = "") -> None:
    """Refuses a pace or a format that there is not.

    Args:
        speed: The pace; 0 for the voice's own.
        audio_format: An AudioFormat.
        field: Where they stand in the request, with a dot at the end.

    Raises:
        StageError: INVALID_ARGUMENT with OPTION_OUT_OF_RANGE.
    """
    # Not a number is in no range.
    if speed and not MIN_SPEECH_SPEED <= speed <= MAX_SPEECH_SPEED:
        raise invalid(
            Reason.OPTION_OUT_OF_RANGE,
            f"The speed is {MIN_SPEECH_SPEED:g} to {MAX_SPEECH_SPEED:g}, where 1 is the voice's "
            "own pace.",
            field=f"{field}speed",
        )
    if audio_format not in speech.AudioFormat.values():
        raise invalid(
            Reason.OPTION_OUT_OF_RANGE,
            f"There is no audio format {audio_format}; choose WAV, OPUS, MP3, FLAC or PCM.",
            field=f"{field}format",
        )
