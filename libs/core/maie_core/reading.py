"""Checks a text that a recording is compared with, in the gateway and in the service."""

from __future__ import annotations

from maie_core.errors import invalid
from maie_core.limits import MAX_READING_TEXT_CHARACTERS
from maie_core.names import check_text
from maie_core.reasons import Reason


def check_reading_text(text: str, *, field: str) -> None:
    """Refuses a text that no recording can be compared with.

    Raises:
        StageError: INVALID_ARGUMENT with READING_TEXT_INVALID or FIELD_INVALID.
    """
    if not any(each.isalnum() for each in text):
        raise invalid(
            Reason.READING_TEXT_INVALID,
            "There is no word to compare the recording with; send the text that should have been "
            "read.",
            field=field,
        )
    if len(text) > MAX_READING_TEXT_CHARACTERS:
        raise invalid(
            Reason.READING_TEXT_INVALID,
            f"The text has {len(text)} characters, and a recording is compared with at most "
            f"{MAX_READING_TEXT_CHARACTERS}; send it in parts, each with its recording.",
            field=field,
        )
    check_text(text, field=field)
