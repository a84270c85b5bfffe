"""Places decoded sound on the container's clock. Runs in the decoder.

A gap in the timestamps becomes silence and an overlap is cut away, so that the
n-th second of the output is the n-th second in a player.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final

import av
from av.audio.frame import AudioFrame

from maie_preprocess.gaps import Gaps
from maie_preprocess.measure import Shape, shape_of

# Timestamps are rounded, and those of a live recording jitter: smaller deviations are
# ignored.
TOLERANCE_SECONDS: Final = 0.04
# A jump of the clock counts once this much sound confirms it. A damaged Ogg page, some
# seconds of sound, can have any time; the pages after it are right.
CONFIRM_SECONDS: Final = 10.0
# The memory limit for sound that waits for confirmation.
CONFIRM_BYTES: Final = 32 * 1024 * 1024
# A larger overlap is not sound recorded twice: the clock was set back, as where two
# recordings were joined, and a player continues.
MAX_OVERLAP_SECONDS: Final = 0.5


class Timeline:
    """The sound of one stream, in time.

    Args:
        start_seconds: The container's clock at the start of its timeline; None
            for the start of the stream itself.
        max_seconds: A gap that would make the recording longer is ignored.
    """

    def __init__(self, start_seconds: float | None, max_seconds: float) -> None:
        self.gaps = Gaps()
        """Where sound is missing."""
        self.late_seconds = 0.0
        """The length of the silence before the first sound."""
        self._start = start_seconds
        self._max_seconds = max_seconds
        self._placed = 0.0
        self._waiting: deque[AudioFrame] = deque()
        # By how much each frame's time is later than the end of the frame before it.
        self._shifts: deque[float] = deque()
        self._waiting_seconds = 0.0
        self._waiting_bytes = 0
        self._begun = False
        self._silence = _Silence()

    def damage(self) -> None:
        """Records that the next packet could not be decoded."""
        self.gaps.add(self._placed + self._waiting_seconds, 0.0, damaged=True)

    def push(self, frame: AudioFrame) -> Iterator[AudioFrame]:
        """Adds a decoded frame and yields frames without gaps between them."""
        shift = self._shift(frame)
        agrees = abs(shift) <= TOLERANCE_SECONDS
        if agrees and not self._waiting:
            yield self._place(frame)
            return
        self._wait(frame, shift)
        # If it agrees, the clock is right again, and the jump was an error.
        yield from self._settle(everything=agrees)

    def flush(self) -> Iterator[AudioFrame]:
        """Yields the waiting frames."""
        yield from self._settle(everything=True)

    def _shift(self, frame: AudioFrame) -> float:
        """By how much a frame's time is later than the end of the sound before it."""
        if frame.time is None:
            return self._shifts[-1] if self._shifts else 0.0
        if not self._begun:
            self._begun = True
            # The first frame is early if an encoder's delay is cut away, and late
            # by a rounding of the container's clock.
            if self._start is None or frame.time - self._start <= TOLERANCE_SECONDS:
                self._start = frame.time
        assert self._start is not None
        return frame.time - self._start - self._placed - self._waiting_seconds

    def _wait(self, frame: AudioFrame, shift: float) -> None:
        self._waiting.append(frame)
        self._shifts.append(shift)
        self._waiting_seconds += frame.samples / frame.sample_rate
        self._waiting_bytes += _bytes(frame)

    def _settle(self, *, everything: bool) -> Iterator[AudioFrame]:
        while self._waiting and (everything or self._is_full()):
            yield from self._next(self._believed())
            while self._waiting and abs(self._shifts[0]) <= TOLERANCE_SECONDS:
                yield from self._next(0.0)

    def _is_full(self) -> bool:
        return self._waiting_seconds >= CONFIRM_SECONDS or self._waiting_bytes >= CONFIRM_BYTES

    def _believed(self) -> float:
        """The move of the first waiting frame: the part of it that all waiting frames confirm."""
        earliest, latest = min(self._shifts), max(self._shifts)
        if earliest > TOLERANCE_SECONDS:
            return earliest
        return latest if latest < -TOLERANCE_SECONDS else 0.0

    def _next(self, move: float) -> Iterator[AudioFrame]:
        """Places the first waiting frame."""
        frame = self._waiting.popleft()
        self._shifts.popleft()
        self._waiting_seconds -= frame.samples / frame.sample_rate
        self._waiting_bytes -= _bytes(frame)
        if self._placed + move > self._max_seconds or move < -MAX_OVERLAP_SECONDS:
            # Either an invalid time or a new clock.
            assert self._start is not None
            self._start += move
            self._moved(move)
        elif move > 0:
            yield from self._fill(move, frame)
        kept = self._cut(-move, frame) if -MAX_OVERLAP_SECONDS <= move < 0 else frame
        if kept is not None:
            yield self._place(kept)

    def _fill(self, seconds: float, frame: AudioFrame) -> Iterator[AudioFrame]:
        if self._placed:
            self.gaps.add(self._placed, seconds)
        else:
            self.late_seconds = seconds
        for silence in self._silence.like(frame, round(seconds * frame.sample_rate)):
            yield self._place(silence)
        self._moved(seconds)

    def _cut(self, seconds: float, frame: AudioFrame) -> AudioFrame | None:
        """Cuts off the start of a frame; None if nothing is left."""
        samples = min(round(seconds * frame.sample_rate), frame.samples)
        self._moved(-samples / frame.sample_rate)
        if samples == frame.samples:
            return None
        frame.pts = None
        fifo = av.AudioFifo()
        fifo.write(frame)
        fifo.read(samples)
        return fifo.read()

    def _moved(self, seconds: float) -> None:
        self._shifts = deque(shift - seconds for shift in self._shifts)

    def _place(self, frame: AudioFrame) -> AudioFrame:
        self._placed += frame.samples / frame.sample_rate
        return frame


class _Silence:
    """Silent frames; reuses one frame where possible."""

    def __init__(self) -> None:
        self._shape: Shape | None = None
        self._second: AudioFrame | None = None

    def like(self, frame: AudioFrame, samples: int) -> Iterator[AudioFrame]:
        """Yields silent frames of at most a second, in the format of a given one."""
        if self._second is None or self._shape != shape_of(frame):
            self._shape = shape_of(frame)
            self._second = _silent(frame, frame.sample_rate)
        for _ in range(samples // frame.sample_rate):
            yield self._second
        if samples % frame.sample_rate:
            yield _silent(frame, samples % frame.sample_rate)


def _silent(like: AudioFrame, samples: int) -> AudioFrame:
    frame = AudioFrame(format=like.format.name, layout=like.layout.name, samples=samples)
    frame.sample_rate = like.sample_rate
    # Silence of unsigned samples is the middle of their range.
    rest = b"\x80" if like.format.name.startswith("u8") else b"\x00"
    for plane in frame.planes:
        plane.update(rest * plane.buffer_size)
    return frame


def _bytes(frame: AudioFrame) -> int:
    return frame.samples * frame.format.bytes * frame.layout.nb_channels
