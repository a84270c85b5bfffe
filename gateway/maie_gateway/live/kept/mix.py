"""Mixes the tracks of a session, window by window."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import numpy as np

from maie.common.v1 import types_pb2 as common
from maie.live.v1 import session_pb2 as session
from maie_core.samples import RATE, samples
from maie_gateway.live.kept.flac import Samples
from maie_gateway.live.kept.parts import KeptTrack, StoredPart, length

# Of each track, a window and the parts that reach into it are in memory.
WINDOW = 10 * RATE
_RANGE = np.iinfo(np.int16)

ReadPart = Callable[[common.Blob], Awaitable[session.AudioPart]]


async def mixed(tracks: Sequence[KeptTrack], read: ReadPart) -> AsyncIterator[Samples]:
    """Yields the sum of all tracks, from the session's beginning to its end.

    A sum that is too loud is clipped; where one track alone sounds, it is what came.

    Args:
        tracks: The tracks.
        read: Reads a stored part.

    Raises:
        StageError: As `read`.
    """
    total = length(tracks)
    ahead = [_Track(track, read) for track in tracks]
    for begin in range(0, total, WINDOW):
        window = np.zeros(min(WINDOW, total - begin), np.int32)
        for track in ahead:
            await track.add_to(window, begin)
        yield np.clip(window, _RANGE.min, _RANGE.max).astype(np.int16)


class _Track:
    """Reads a track's parts when their time comes."""

    def __init__(self, track: KeptTrack, read: ReadPart) -> None:
        self._begin = track.begin
        self._parts: deque[StoredPart] = deque(track.parts)
        self._runs: deque[tuple[int, Samples]] = deque()
        self._read = read

    async def add_to(self, window: np.ndarray[tuple[int], np.dtype[np.int32]], begin: int) -> None:
        """Adds what the track has within a window.

        Args:
            window: The samples so far.
            begin: Where the window begins in the session, after the one before it.
        """
        end = begin + len(window)
        while self._parts and self._parts[0].begin < end:
            part = await self._read(self._parts.popleft().blob)
            for run in part.runs:
                place = self._begin + samples(run.start_offset)
                self._runs.append((place, np.frombuffer(run.samples, "<i2").astype(np.int16)))
        while self._runs and self._runs[0][0] < end:
            place, sound = self._runs.popleft()
            here = sound[: end - place]
            window[place - begin : place - begin + len(here)] += here
            if len(here) < len(sound):
                self._runs.appendleft((end, sound[len(here) :]))
