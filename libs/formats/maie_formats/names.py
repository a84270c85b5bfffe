"""The name of a recording in formats whose fields end with spaces."""

from __future__ import annotations

import re

from maie_formats.clean import plain

# What names of recordings end with, such as ".wav"; readers know files without it.
_EXTENSION = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}$")


def field_name(name: str) -> str:
    """The name without its extension, and with an underscore for each space."""
    return "_".join(_EXTENSION.sub("", plain(name)).split()) or "recording"
