"""The messages about tracks that are not durable yet, as the client sent them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from itertools import chain

from maie.live.v1 import live_pb2 as live


class PendingMessages:
    """Keeps messages until they are durable, so that they can be sent again for the client."""

    def __init__(self) -> None:
        self._tracks: dict[str, deque[tuple[int, live.TranscribeRequest]]] = {}

    def __bool__(self) -> bool:
        return bool(self._tracks)

    def __iter__(self) -> Iterator[live.TranscribeRequest]:
        """The messages, those of each track in their order."""
        return (request for _, request in chain.from_iterable(self._tracks.values()))

    def add(self, track: str, sequence: int, request: live.TranscribeRequest) -> None:
        """Adds the next message of a track; one that is there already changes nothing."""
        messages = self._tracks.setdefault(track, deque())
        if not messages or sequence > messages[-1][0]:
            messages.append((sequence, request))

    def merge(self, later: PendingMessages) -> None:
        """Adds the messages of a later call of the session."""
        for track, messages in later._tracks.items():
            for sequence, request in messages:
                self.add(track, sequence, request)

    def settle(self, durable: Mapping[str, int]) -> None:
        """Drops what is durable.

        Args:
            durable: The last durable message of each track.
        """
        for track, messages in tuple(self._tracks.items()):
            while messages and messages[0][0] <= durable.get(track, 0):
                messages.popleft()
            if not messages:
                del self._tracks[track]

    def drop(self, track: str) -> None:
        """Drops the messages of a track that is not recognised."""
        self._tracks.pop(track, None)
