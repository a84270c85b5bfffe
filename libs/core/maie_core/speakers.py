"""How people see speakers: by the name that somebody gave them, or else by their number."""

from __future__ import annotations

import re
from collections.abc import Mapping

_NUMBERED = re.compile(r"S([1-9][0-9]{0,5})")


def is_speaker(text: str) -> bool:
    """Whether a text can be a Speaker's id, such as "S1"."""
    return _NUMBERED.fullmatch(text) is not None


def speaker_number(speaker: str) -> int:
    """The number in a speaker's id, from 1; 0 for a text that is none."""
    numbered = _NUMBERED.fullmatch(speaker)
    return int(numbered[1]) if numbered else 0


def place_label(track: int, channel: int) -> str:
    """What people call the track and the channel that a speaker is alone on; empty for a mix.

    Args:
        track: From 1; 0 where one track was read.
        channel: From 1; 0 where the channels were mixed.
    """
    if track and channel:
        return f"Track {track}, channel {channel}"
    return f"Track {track}" if track else f"Channel {channel}" if channel else ""


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
