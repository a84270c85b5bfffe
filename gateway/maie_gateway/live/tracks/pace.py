"""Whether live audio comes slower than it is spoken. Pure but for the clock that it is given."""

from __future__ import annotations

from collections.abc import Callable

from maie_core.samples import RATE

SLOW_SECONDS = 5.0
"""How far audio is behind the clock from which on it counts as slow."""
# A second warning soon after the first helps nobody.
QUIET_SECONDS = 600.0


class PaceMeter:
    """Compares the audio of a track with the time that its client has had to send it.

    Audio that comes faster than it is spoken is taken as fast as it is recognised, so it needs no
    warning; nor does audio for which the gateway itself had no room.

    Args:
        position: Where the track goes on, in samples.
        clock: How long the client had for its messages so far, in seconds.
    """

    def __init__(self, position: int, clock: Callable[[], float]) -> None:
        self._begin = clock() - position / RATE
        self._clock = clock
        self._quiet_until = 0.0

    def feed(self, position: int) -> float | None:
        """Takes how much has come.

        Args:
            position: The end of the audio and silence so far, in samples.

        Returns:
            How many seconds it is behind, where it is slow and nothing was said for ten minutes;
            None otherwise.
        """
        now = self._clock()
        behind = now - self._begin - position / RATE
        if behind < SLOW_SECONDS or now < self._quiet_until:
            return None
        self._quiet_until = now + QUIET_SECONDS
        return behind
