"""The stored parts of a session's audio, as its log names them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from maie.common.v1 import types_pb2 as common
from maie.live.v1 import session_pb2 as session
from maie_core.samples import RATE, SAMPLE_NANOSECONDS, samples
from maie_gateway.live.formats import channel_numbers

MOST_SECONDS = 24 * 3600
"""How long a session may be whose audio is kept."""
MOST_SAMPLES = MOST_SECONDS * RATE
# A resampler gives the last of a message, at most 2 ms, with the next one.
HELD_BACK = RATE // 100


@dataclass(kw_only=True, frozen=True, slots=True)
class StoredPart:
    """A part of a track.

    Attributes:
        begin: Where it begins at the earliest, in samples from the session's beginning.
        blob: The stored AudioPart.
    """

    begin: int
    blob: common.Blob


@dataclass(kw_only=True, slots=True)
class KeptTrack:
    """The audio of a track, or of a channel of it.

    Attributes:
        begin: Where it begins, in samples from the session's beginning.
        end: Where what is durable of it ends, likewise.
        parts: Its parts, in order.
    """

    begin: int
    end: int
    parts: list[StoredPart] = field(default_factory=list)


def kept_tracks(entries: Iterable[session.SessionEntry]) -> list[KeptTrack]:
    """The tracks of a session and their channels by its log, in the order in which they began."""
    tracks: dict[tuple[int, int], KeptTrack] = {}
    for entry in entries:
        if entry.HasField("track_began"):
            began = entry.track_began
            begin = round(began.offset.ToNanoseconds() / SAMPLE_NANOSECONDS)
            for channel in channel_numbers(began.join.format):
                tracks[began.number, channel] = KeptTrack(begin=begin, end=begin)
        for mark in entry.settled.marks:
            track = tracks[mark.number, mark.channel]
            if mark.HasField("audio"):
                track.parts.append(StoredPart(begin=track.end - HELD_BACK, blob=mark.audio))
            track.end = max(track.end, track.begin + samples(mark.message_offset))
    return list(tracks.values())


def length(tracks: Iterable[KeptTrack]) -> int:
    """How long the audio of a session is, in samples of 16 kHz."""
    return max((track.end for track in tracks), default=0)
