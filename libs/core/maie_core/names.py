"""Checks names and texts: what may be an id, and control characters and direction marks."""

from __future__ import annotations

import re

from maie_core.errors import invalid
from maie_core.reasons import Reason

# Control characters (C0, DEL and C1), the line and paragraph separators, and the marks that change
# the text direction (Unicode Standard Annex 9), which can make a name look like another.
_CONTROL = r"\x00-\x1f\x7f-\x9f\u2028\u2029"
_DIRECTION = r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_HARMFUL = re.compile(f"[{_CONTROL}{_DIRECTION}]")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HARMFUL_IN_TEXT = re.compile(f"(?![\\t\\n\\r])[{_CONTROL}{_DIRECTION}]")


def is_uuid(name: str) -> bool:
    """Whether a name is a UUID in lower case, as the ids of jobs, uploads and voices are."""
    return _UUID.fullmatch(name) is not None


def is_harmless(name: str) -> bool:
    """Whether a name has no control characters, line breaks and direction marks."""
    return not _HARMFUL.search(name)


def harmless(name: str) -> str:
    """The name without control characters, line breaks and direction marks."""
    return _HARMFUL.sub("", name)


def check_text(text: str, *, field: str) -> None:
    """Refuses a multi-line text with other control characters or direction marks.

    Raises:
        StageError: INVALID_ARGUMENT with FIELD_INVALID.
    """
    if _HARMFUL_IN_TEXT.search(text):
        raise invalid(
            Reason.FIELD_INVALID,
            f"`{field.rpartition('.')[2]}` has control characters or direction marks; send plain "
            "text.",
            field=field,
        )
