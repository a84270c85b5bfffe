"""Makes text valid for every gateway."""

from __future__ import annotations

import re
from collections.abc import Mapping

# Python's representation of invalid UTF-8 in file names and arguments.
_SURROGATES = re.compile("[\ud800-\udfff]")
# Invalid in names: control characters, line breaks and direction marks.
_HARMFUL = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
REPLACEMENT = "\ufffd"
MAX_NAME_CHARACTERS = 255


def sendable(text: str) -> str:
    """Valid UTF-8, with replacement characters for invalid ones."""
    return _SURROGATES.sub(REPLACEMENT, text)


def sendable_name(name: str) -> str:
    """A valid name for the gateway from a file's name, which may have any characters."""
    return _HARMFUL.sub(REPLACEMENT, sendable(name))[-MAX_NAME_CHARACTERS:]


def sendable_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """Labels, or names of speakers, as valid UTF-8."""
    return {sendable(key): sendable(value) for key, value in labels.items()}
