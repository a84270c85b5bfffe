"""Text that every gateway can read."""

from __future__ import annotations

import re
from collections.abc import Mapping

# What Python makes of bytes of a file name or an argument that are no UTF-8.
_SURROGATES = re.compile("[\ud800-\udfff]")
REPLACEMENT = "\ufffd"


def sendable(text: str) -> str:
    """Text that can be written as UTF-8, with a replacement character for what cannot."""
    return _SURROGATES.sub(REPLACEMENT, text)


def sendable_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """Labels that can be written as UTF-8."""
    return {sendable(key): sendable(value) for key, value in labels.items()}
