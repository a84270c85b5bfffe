"""How people see speakers: by the name that somebody gave them, or else by their number."""

from __future__ import annotations

import re
from collections.abc import Mapping

_NUMBERED = re.compile(r"S([1-9][0-9]{0,5})")


def is_speaker(text: str) -> bool:
    """Whether a text can be a Speaker's id, such as "S1"."""
    return _NUMBERED.fullmatch(text) is not None


def speaker_label(speaker: str, names: Mapping[str, str]) -> str:
    """What people call a speaker: its name, or "Speaker 1" for "S1".

    Args:
        speaker: The speaker's id; empty for nobody, whose label is empty.
        names: The names that people gave, by the speakers' ids.
    """
    if name := names.get(speaker):
        return name
    numbered = _NUMBERED.fullmatch(speaker)
    return f"Speaker {numbered[1]}" if numbered else speaker
