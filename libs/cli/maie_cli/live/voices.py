"""Who speaks: a track, or a channel of it."""

from __future__ import annotations

from collections.abc import Mapping

from maie.live.v1 import live_pb2 as live
from maie_core.speakers import speaker_label
from maie_formats.clean import plain

Voice = tuple[str, int]
"""The track and the channel, from 1; 0 where the channels are mixed."""


def said_by(names: Mapping[str, str], final: live.Final) -> str:
    """Who said a final, for people, such as "Speaker 1"; empty where that needs no name.

    Args:
        names: The name of each track; empty for one that needs none.
        final: The final, with a speaker where several people share its track.
    """
    place = voice(names, final.track, final.segment.channel)
    speaker = plain(speaker_label(final.segment.speaker))
    return f"{place}, {speaker}" if place and speaker else place or speaker


def voice(names: Mapping[str, str], track: str, channel: int) -> str:
    """The name of a voice for people, such as "talk, channel 1"; empty where it needs none.

    Args:
        names: The name of each track; empty for one that needs none.
        track: The track.
        channel: The channel, from 1; 0 where the channels are mixed.
    """
    name = names.get(track, plain(track))
    if not channel:
        return name
    return f"{name}, channel {channel}" if name else f"Channel {channel}"
