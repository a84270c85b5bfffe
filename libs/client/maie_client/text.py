"""Text that every gateway can read."""

from __future__ import annotations

import re
from collections.abc import Mapping

# What Python makes of bytes of a file name or an argument that are no UTF-8.
_SURROGATES = re.compile("[\ud800-\udfff]")
# What no gateway takes in a name: control characters, line breaks and direction marks.
_HARMFUL = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
REPLACEMENT = "\ufffd"
MAX_NAME_CHARACTERS = 255


def sendable(text: str) -> str:
    """Text that can be written as UTF-8, with a replacement character for what cannot."""
    return _SURROGATES.sub(REPLACEMENT, text)


def sendable_name(name: str) -> str:
    """The name of a file as a gateway takes it: a file may be called anything on a disk."""
    return _HARMFUL.sub(REPLACEMENT, sendable(name))[-MAX_NAME_CHARACTERS:]


def sendable_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """Labels that can be written as UTF-8."""
    return {sendable(key): sendable(value) for key, value in labels.items()}
