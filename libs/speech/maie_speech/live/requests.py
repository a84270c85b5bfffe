"""Checks the messages of a live track."""

from __future__ import annotations

from maie_core.errors import StageError, invalid
from maie_core.reasons import Reason
from maie_core.samples import RATE, SAMPLE_BYTES

MAX_AUDIO_BYTES = RATE * SAMPLE_BYTES
MAX_SILENCE_SECONDS = 3600


def check_audio(content: bytes) -> None:
    """Refuses audio that is no whole samples, or not between 1 sample and 1 s.

    Raises:
        StageError: INVALID_ARGUMENT with AUDIO_PART_INVALID.
    """
    if not content:
        raise _bad_part("A message with audio is empty; send samples, or nothing.")
    if len(content) % SAMPLE_BYTES:
        raise _bad_part("A message with audio ends within a sample; send whole samples of 2 bytes.")
    if len(content) > MAX_AUDIO_BYTES:
        raise _bad_part(
            f"A message with {len(content)} bytes of audio is longer than 1 s, which are "
            f"{MAX_AUDIO_BYTES} bytes; send less at a time."
        )


def check_silence(samples: int) -> None:
    """Refuses silence that is not above 0 and at most an hour.

    Args:
        samples: How long it is.

    Raises:
        StageError: INVALID_ARGUMENT with AUDIO_PART_INVALID.
    """
    if not 0 < samples <= MAX_SILENCE_SECONDS * RATE:
        raise _bad_part(
            f"Silence is above 0 and at most {MAX_SILENCE_SECONDS} s long; send it so.", "silence"
        )


def out_of_order(message: str) -> StageError:
    """The error for a message in the wrong place."""
    return invalid(Reason.STREAM_OUT_OF_ORDER, message)


def _bad_part(message: str, field: str = "audio") -> StageError:
    return invalid(Reason.AUDIO_PART_INVALID, message, field=field)


def out_of_range(name: str, words: str) -> StageError:
    """The error for a field of the config.

    Args:
        name: The field.
        words: What it must be, such as "0 or more".
    """
    return invalid(Reason.OPTION_OUT_OF_RANGE, f"`{name}` must be {words}.", field=f"config.{name}")
