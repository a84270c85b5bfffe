"""How much silence a track's audio lacks."""

from __future__ import annotations

# Networks deliver audio in bursts; a shorter pause between two frames is none.
LEAST_GAP_SECONDS = 0.5
# Many short pauses are a gap, too.
MOST_BEHIND_SECONDS = 2.0


class Timeline:
    """Compares a track's audio with the clock.

    A track has gaps where it is muted or its sender loses the network. Silence in their
    place ends utterances in time, and keeps the tracks of a session in step.

    Args:
        now: When the track begins, in seconds of any steady clock.
    """

    def __init__(self, now: float) -> None:
        self._begun = now
        self._last = now
        self._seconds = 0.0

    def gap(self, now: float) -> float:
        """The silence, in seconds, that belongs between the last audio and now; 0 for none."""
        behind = now - self._begun - self._seconds
        if behind >= MOST_BEHIND_SECONDS:
            return behind
        return behind if min(behind, now - self._last) >= LEAST_GAP_SECONDS else 0.0

    def add(self, seconds: float, now: float) -> None:
        """Counts audio or silence that ends now."""
        self._seconds += seconds
        self._last = now
