"""How much of the workers' time live tracks take, and whether another one can be served.

Pure but for the clock that it is given.
"""

from __future__ import annotations

import math
from collections.abc import Callable

# What happened this long ago counts half.
HALF_LIFE_SECONDS = 30.0
# Whether the workers are busy is seen sooner: many streams may begin at once.
BUSY_HALF_LIFE_SECONDS = 5.0
# The share of the workers' time that may be planned for; the rest is for speech that comes at once.
MAX_SHARE = 0.8
# Finals are read quickly while they take more of the workers' time. With tiny.en on two cores, 20
# streams are so many; thorough ones would wait for each other (docs/live.md).
BUSY_SHARE = 0.25
# Partial results may come so much more seldom, before anything else is late.
MAX_THINNING = 8
# What is assumed of a track before anything was measured: an utterance every so many seconds, twice
# as dear as what was read first, which has no words in it; counted as so much audio.
UTTERANCE_SECONDS = 4.0
PRIOR_FACTOR = 2.0
PRIOR_SECONDS = 20.0


class Recent:
    """A sum in which older values count less.

    Args:
        clock: Gives the time in seconds.
        half_life: What happened so many seconds ago counts half.
    """

    def __init__(self, clock: Callable[[], float], half_life: float = HALF_LIFE_SECONDS) -> None:
        self._clock = clock
        self._half_life = half_life
        self._sum = 0.0
        self._at = clock()

    def add(self, value: float) -> None:
        """Adds a value of now."""
        self._sum = self.value + value
        self._at = self._clock()

    @property
    def value(self) -> float:
        """The sum as of now."""
        return self._sum * 0.5 ** ((self._clock() - self._at) / self._half_life)

    @property
    def per_second(self) -> float:
        """What comes in a second, where it has long been the same."""
        return self.value * math.log(2) / self._half_life


class LoadMeter:
    """Measures what live speech costs.

    Args:
        workers: How many readings run at a time.
        clock: Gives the time in seconds.
    """

    def __init__(self, workers: int, clock: Callable[[], float]) -> None:
        self._workers = workers
        self._finals, self._partials = Recent(clock), Recent(clock)
        self._audio = Recent(clock)
        self._finals_now = Recent(clock, BUSY_HALF_LIFE_SECONDS)
        self._prior = 0.0

    def prime(self, reading_seconds: float) -> None:
        """Says how long a first reading took, before there are others."""
        self._prior = PRIOR_FACTOR * reading_seconds / UTTERANCE_SECONDS

    def count_final(self, seconds: float) -> None:
        """Counts the time of a worker for a final, or for one that was not wanted in the end."""
        self._finals.add(seconds)
        self._finals_now.add(seconds)

    def count_partial(self, seconds: float) -> None:
        """Counts the time of a worker for a partial result."""
        self._partials.add(seconds)

    def count_audio(self, seconds: float) -> None:
        """Counts audio of a track."""
        self._audio.add(seconds)

    @property
    def busy(self) -> bool:
        """Whether finals take so much of the workers' time that they should be read quickly."""
        return self._finals_now.per_second > BUSY_SHARE * self._workers

    @property
    def real_time_factor(self) -> float:
        """The time of a worker that a second of a track needs, where partials are thinned."""
        needed = self._finals.value + self._partials.value / MAX_THINNING
        return (self._prior * PRIOR_SECONDS + needed) / (PRIOR_SECONDS + self._audio.value)

    def share(self, tracks: int) -> float:
        """The share of the workers' time that so many tracks need."""
        return tracks * self.real_time_factor / self._workers

    def admits(self, tracks: int) -> bool:
        """Whether so many tracks can be served in time. One is always tried."""
        return tracks <= 1 or self.share(tracks) <= MAX_SHARE
