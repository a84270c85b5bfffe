"""How many tracks a session may have at a time."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable

from maie.live.v1 import live_pb2 as live


class Places:
    """The places of a session for tracks.

    A track that leaves has its place until its last utterance is stored.

    Args:
        most: How many there are; 0 for any number.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: Counter[str] = Counter()
        self._leaving: dict[str, deque[int]] = {}

    @property
    def taken(self) -> int:
        """How many are taken."""
        return self._taken.total()

    @property
    def is_free(self) -> bool:
        """Whether there is one more."""
        return not self._most or self.taken < self._most

    def take(self, track: str) -> bool:
        """Takes a place; False where none is free."""
        if not self.is_free:
            return False
        self._taken[track] += 1
        return True

    def leave(self, track: str, sequence: int) -> None:
        """Notes the last message of a track that leaves."""
        self._leaving.setdefault(track, deque()).append(sequence)

    def settle(self, progress: Iterable[live.TrackProgress]) -> None:
        """Frees the places of tracks whose last message is durable."""
        for each in progress:
            leaving = self._leaving.get(each.track, deque())
            while leaving and leaving[0] <= each.durable_sequence:
                leaving.popleft()
                self._taken[each.track] -= 1
            if not leaving:
                self._leaving.pop(each.track, None)
            if not self._taken[each.track]:
                del self._taken[each.track]

    def drop(self, track: str) -> None:
        """Frees the places of a track that is not recognised any more."""
        self._taken.pop(track, None)
        self._leaving.pop(track, None)
