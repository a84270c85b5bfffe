"""How people see speakers: by the name that somebody gave them, or else by their number."""

from __future__ import annotations

import re

_NUMBERED = re.compile(r"S([1-9][0-9]{0,5})")


def is_speaker(text: str) -> bool:
    """Whether a text can be a Speaker's id, such as "S1"."""
    return speaker_number(text) > 0


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


def speaker_label(speaker: str, name: str = "", place: str = "") -> str:
    """What people call a speaker: its name, or else its place, or else "Speaker 1" for "S1".

    Args:
        speaker: The speaker's id; empty for nobody, whose label is empty.
        name: The name that people gave it; empty for none.
        place: The track or channel that is its alone (`place_label`); empty for none.
    """
    number = speaker_number(speaker)
    return name or place or (f"Speaker {number}" if number else speaker)
