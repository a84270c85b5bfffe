"""Random windows of audio: takes one after another, with noise, or none at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tests.models.voices.flite import PAUSE, SAMPLE_RATE
from tests.models.voices.takes import Take, Word

# Seconds of audio per state of the encoder.
FRAME = 0.02
FRAME_SAMPLES = round(FRAME * SAMPLE_RATE)
# A window as Whisper reads it: 30 seconds.
WHOLE = 1500
# Windows longer than this, in frames, may be left mostly empty.
LONG = 800
# How far a word may stick out of the window and still be heard, in seconds.
TOLERANCE = 0.03


@dataclass(kw_only=True, frozen=True, slots=True)
class Mixture:
    """How often windows and prompts are of a kind, 0 to 1.

    Attributes:
        silent: Nobody speaks.
        noisy: There is noise, or hum and tones, where nobody speaks.
        short: The audio ends after 1 to 12 seconds of a long window, as a live stream's does.
        prompted: The decoder is given text that came before.
        talkative: That text is long.
    """

    silent: float
    noisy: float
    short: float
    prompted: float
    talkative: float


@dataclass(kw_only=True, frozen=True, slots=True)
class Turn:
    """What is heard of a take.

    Attributes:
        words: Those heard whole, in seconds of the window.
        start: Where it begins.
        is_open: It goes on behind the window, which is cut from longer audio.
    """

    words: list[Word]
    start: float
    is_open: bool = False


@dataclass(kw_only=True, frozen=True, slots=True)
class Window:
    """Audio and what is to be found in it.

    Attributes:
        samples: 16 kHz; -1 to 1; may end before the window does.
        frames: How long the window is, in frames of 20 ms.
        phones: The sound of each frame by its place in the inventory; 0 is none.
        turns: What is said.
    """

    samples: npt.NDArray[np.float32]
    frames: int
    phones: npt.NDArray[np.int64]
    turns: list[Turn]


@dataclass(kw_only=True, slots=True)
class Windows:
    """Draws windows.

    Attributes:
        takes: What may be said.
        chance: Where the luck comes from.
        inventory: The sounds, silence first.
    """

    takes: Sequence[Take]
    chance: np.random.Generator
    inventory: list[str] = field(init=False)

    def __post_init__(self) -> None:
        names = {phone.name for take in self.takes for phone in take.phones}
        self.inventory = [PAUSE, *sorted(names - {PAUSE})]

    def draw(self, frames: int, mixture: Mixture, *, is_cut: bool) -> Window:
        """Draws one.

        Args:
            frames: How long it is.
            mixture: What it may be.
            is_cut: It is cut from longer audio, so that somebody may be interrupted at its end.
        """
        is_silent = self.chance.random() < mixture.silent
        end = frames * FRAME if is_cut else self._end(frames, mixture)
        buffer = np.zeros(frames * FRAME_SAMPLES, np.float32)
        phones = np.zeros(frames, np.int64)
        turns: list[Turn] = []
        if not is_silent:
            self._talk(buffer, phones, turns, end, is_cut=is_cut)
        elif self.chance.random() < mixture.noisy:
            self._disturb(buffer)
        samples = buffer[: round(end * SAMPLE_RATE)]
        self._hiss(samples)
        loudness = self._level(-0.6, 0.6)
        return Window(
            samples=np.clip(samples * loudness, -1, 1),
            frames=frames,
            phones=phones,
            turns=turns,
        )

    def _end(self, frames: int, mixture: Mixture) -> float:
        """Where the audio ends, in seconds."""
        whole = frames * FRAME
        if frames > LONG and self.chance.random() < mixture.short:
            return self.chance.uniform(1.2, min(12.2, whole))
        if self.chance.random() < 0.6:
            return whole - 0.2
        return whole * self.chance.uniform(0.25, 0.95)

    def _talk(
        self,
        buffer: npt.NDArray[np.float32],
        phones: npt.NDArray[np.int64],
        turns: list[Turn],
        end: float,
        *,
        is_cut: bool,
    ) -> None:
        """Says takes one after another until the audio ends, or all that was to be said is."""
        whole = len(phones) * FRAME
        most = self.chance.integers(1, 12) if len(phones) > LONG else len(phones)
        if self.chance.random() < 0.2:
            # Somebody is speaking already when the window begins.
            at = self.chance.uniform(-1.2, 0.0)
        else:
            at = min(self.chance.exponential(0.6), whole / 2)
        while at < end - 0.3 and len(turns) < most:
            take = self.takes[int(self.chance.integers(len(self.takes)))]
            speed = self.chance.uniform(0.88, 1.12)
            length = self._say(buffer, take, at, speed)
            self._label(phones, take, at, speed, end)
            if turn := _heard(take, at, speed, end, is_cut=is_cut):
                turns.append(turn)
            is_brief = self.chance.random() < 0.85
            pause = 0.02 + self.chance.exponential(0.35) if is_brief else self.chance.uniform(0, 3)
            at += length + pause

    def _say(self, buffer: npt.NDArray[np.float32], take: Take, at: float, speed: float) -> float:
        """Puts a take into the audio at a time, faster or slower; returns its seconds."""
        count = int(len(take.samples) / speed)
        places = np.arange(count) * speed
        said = np.interp(places, np.arange(len(take.samples)), take.samples / 32768)
        said *= self._level(-0.4, 0.4)
        first = round(at * SAMPLE_RATE)
        start, stop = max(first, 0), min(first + count, len(buffer))
        if stop > start:
            buffer[start:stop] += said[start - first : stop - first].astype(np.float32)
        return count / SAMPLE_RATE

    def _label(
        self, phones: npt.NDArray[np.int64], take: Take, at: float, speed: float, end: float
    ) -> None:
        """Writes down which sound each frame holds."""
        for phone in take.phones:
            start = at + phone.start / speed
            first = max(round(start / FRAME), 0)
            last = max(round((at + phone.end / speed) / FRAME), 0)
            if start < end:
                phones[first:last] = self.inventory.index(phone.name)

    def _disturb(self, buffer: npt.NDArray[np.float32]) -> None:
        """Noise of any loudness, hum and tones, of which a model must make no text."""
        if self.chance.random() < 0.7:
            noise = self.chance.standard_normal(len(buffer), dtype=np.float32)
            buffer += noise * self._level(-4.0, -0.6)
        if self.chance.random() < 0.4:
            seconds = np.arange(len(buffer), dtype=np.float32) / SAMPLE_RATE
            for _ in range(self.chance.integers(1, 4)):
                hertz = 40 + 4000 * self.chance.random() ** 2
                buffer += self._level(-3.0, -0.7) * np.sin(2 * np.pi * hertz * seconds)

    def _hiss(self, samples: npt.NDArray[np.float32]) -> None:
        """A little noise under most windows, white or dull."""
        if self.chance.random() < 0.65:
            noise = self.chance.standard_normal(len(samples), dtype=np.float32)
            if self.chance.random() < 0.5:
                noise = np.convolve(noise, np.full(4, 0.5, np.float32), "same")
            samples += noise * self._level(-3.5, -1.5) * 0.3

    def _level(self, lowest: float, highest: float) -> np.float32:
        """A factor between two powers of ten, as a float32 that leaves arrays what they are."""
        return np.float32(10 ** self.chance.uniform(lowest, highest))


def _heard(take: Take, at: float, speed: float, end: float, *, is_cut: bool) -> Turn | None:
    """What is heard of a take that is said at a time; None where that is no whole word."""
    words = [
        Word(text=word.text, start=at + word.start / speed, end=at + word.end / speed)
        for word in take.words
    ]
    start = words[0].start
    heard = [word for word in words if word.start > -TOLERANCE and word.end < end + TOLERANCE]
    if is_cut and words[-1].end >= end + TOLERANCE:
        if -TOLERANCE < start < end:
            return Turn(words=heard, start=start, is_open=True)
        return None
    return Turn(words=heard, start=heard[0].start) if heard else None
