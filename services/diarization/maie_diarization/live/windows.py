"""Divides a live track into the windows that an engine hears. Pure: no I/O, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from maie_speech.frames import SAMPLE_RATE

# What the engine `embedded` hears at once, and how its calibration was measured: each moment is in
# five windows.
WINDOW: Final = 5 * SAMPLE_RATE
HOP: Final = 1 * SAMPLE_RATE
# Turns are settled so long after they are spoken: then three windows say who speaks.
LAG: Final = 5 * SAMPLE_RATE // 2


@dataclass(kw_only=True, frozen=True, slots=True)
class Window:
    """A window, in samples of the track.

    Attributes:
        start: Its first sample.
        end: Its last sample, exclusive.
        settled: The place before which the turns are settled with it.
    """

    start: int
    end: int
    settled: int


class Windows:
    """The windows of a track, in order.

    Args:
        start: The track's first sample.

    Attributes:
        settled: That of the last window.
    """

    def __init__(self, start: int) -> None:
        self.settled = start
        self._start = self._next = start

    @property
    def needed(self) -> int:
        """The first sample that a later window may have."""
        return max(self._start, self._next - HOP)

    def whole(self, received: int) -> Window | None:
        """The next window, once it is heard to its end.

        Args:
            received: The end of what was heard.
        """
        if received < self._next + WINDOW:
            return None
        start, end = self._next, self._next + WINDOW
        self._next += HOP
        self.settled = max(self.settled, end - LAG)
        return Window(start=start, end=end, settled=self.settled)

    def silent(self, received: int) -> Window:
        """All that was heard since the last window, in which nobody speaks.

        Args:
            received: The end of what was heard, a window or more after `needed`.
        """
        start = self._next
        self._next = received - WINDOW + HOP
        self.settled = max(self.settled, received - LAG)
        return Window(start=start, end=received, settled=self.settled)

    def last(self, received: int) -> Window | None:
        """A window up to the end of what was heard; None where all of that is settled.

        It is empty where the window before it ends there.

        Args:
            received: The end of what was heard.
        """
        if received <= self.settled:
            return None
        heard = self._next - HOP + WINDOW
        # What was heard to its end already is only settled.
        start = received if received == heard else max(self.needed, received - WINDOW)
        self.settled = received
        self._next = max(self._next, received - WINDOW + HOP)
        return Window(start=start, end=received, settled=received)
