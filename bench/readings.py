"""Recordings of real readings, in every form that recordings come in, with what is said when."""

from __future__ import annotations

import random
import wave
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
DATA = Path(__file__).resolve().parent.parent / "tests" / "data"
# Seconds between two sentences, as readers pause.
PAUSES = (0.2, 1.2)
GAP_SECONDS = 60.0
NOISE_DB = 10.0
QUIET_DB = -30.0
TELEPHONE_HERTZ = (300, 3400)
# The silence that clips have at their ends, in seconds.
CLIP_EDGE = 0.2

Audio = NDArray[np.float32]
"""Sound at 16 kHz, -1 to 1, of shape (samples,), or (samples, 2) in stereo."""


@dataclass(kw_only=True, frozen=True, slots=True)
class SpokenWord:
    """A word and about when it is said, in seconds: letters in a clip count as evenly long."""

    text: str
    start: float
    end: float


@dataclass(kw_only=True, frozen=True, slots=True, eq=False)
class Reading:
    """A recording and its words, in the order of time."""

    audio: Audio
    words: tuple[SpokenWord, ...]

    @property
    def seconds(self) -> float:
        """The length of the recording."""
        return len(self.audio) / SAMPLE_RATE


def long_reading(
    seconds: float, seed: int = 1, sentences: Sequence[tuple[str, Audio]] = ()
) -> Reading:
    """Sentences in changing order until the reading is long enough.

    Args:
        seconds: How long.
        seed: Another one gives another order and other pauses.
        sentences: What is read, and how it sounds; the clips of the tests where it is empty.
    """
    sentences = sentences or clips()
    chance = random.Random(seed)
    sounds: list[Audio] = []
    words: list[SpokenWord] = []
    order: list[tuple[str, Audio]] = []
    length = 0
    while length < seconds * SAMPLE_RATE:
        if not order:
            order = chance.sample(sentences, len(sentences))
        text, sound = order.pop()
        words += _spoken(text, length / SAMPLE_RATE, len(sound) / SAMPLE_RATE)
        pause = np.zeros(round(chance.uniform(*PAUSES) * SAMPLE_RATE), np.float32)
        sounds += [sound, pause]
        length += len(sound) + len(pause)
    return Reading(audio=np.concatenate(sounds), words=tuple(words))


def write_wav(path: Path, reading: Reading) -> None:
    """Writes a reading as a WAV file of 16-bit PCM."""
    pcm = np.clip(np.round(reading.audio * 32768), -32768, 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setparams((pcm[0].size, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes(pcm.tobytes())


def in_form(form: str, seconds: float) -> Reading:
    """A reading in one of `FORMS`.

    Args:
        form: The form's name.
        seconds: How long the reading is at least, without what the form adds.
    """
    return FORMS[form](long_reading(seconds))


def _noisy(reading: Reading) -> Reading:
    noise = pink_noise(len(reading.audio), seed=0)
    spoken = reading.audio[np.abs(reading.audio) > 1e-4]
    power = np.mean(spoken**2) / 10 ** (NOISE_DB / 10)
    return _with_audio(reading, reading.audio + noise * np.sqrt(power))


def pink_noise(size: int, seed: int) -> NDArray[np.float64]:
    """Noise of equal power in each octave, as rooms and streets have; its mean power is 1."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(size))
    spectrum /= np.sqrt(np.maximum(np.fft.rfftfreq(size, 1 / SAMPLE_RATE), 50))
    noise = np.fft.irfft(spectrum, size)
    return noise / np.sqrt(np.mean(noise**2))


def _telephone(reading: Reading) -> Reading:
    return _with_audio(reading, by_telephone(reading.audio))


def by_telephone(audio: Audio) -> Audio:
    """The band of a telephone, and the eight bits of its mu-law."""
    spectrum = np.fft.rfft(audio)
    frequencies = np.fft.rfftfreq(len(audio), 1 / SAMPLE_RATE)
    low, high = TELEPHONE_HERTZ
    spectrum[(frequencies < low) | (frequencies > high)] = 0
    sound = np.clip(np.fft.irfft(spectrum, len(audio)), -1, 1)
    steps = np.round(np.log1p(255 * np.abs(sound)) / np.log(256) * 127) / 127
    return (np.sign(sound) * np.expm1(steps * np.log(256)) / 255).astype(np.float32)


def _quiet(reading: Reading) -> Reading:
    return _with_audio(reading, reading.audio * 10 ** (QUIET_DB / 20))


def _gap(reading: Reading) -> Reading:
    """A minute of silence between two sentences in the middle."""
    middle = next(
        word.start - CLIP_EDGE
        for before, word in zip(reading.words, reading.words[1:], strict=False)
        if word.start >= reading.seconds / 2 and word.start - before.end > 2 * CLIP_EDGE
    )
    cut = round(middle * SAMPLE_RATE)
    silence = np.zeros(round(GAP_SECONDS * SAMPLE_RATE), np.float32)
    words = tuple(
        word
        if word.start < middle
        else SpokenWord(text=word.text, start=word.start + GAP_SECONDS, end=word.end + GAP_SECONDS)
        for word in reading.words
    )
    audio = np.concatenate([reading.audio[:cut], silence, reading.audio[cut:]])
    return Reading(audio=audio, words=words)


def _stereo(reading: Reading) -> Reading:
    """The same reading on both channels, one of them at half the level: a room, not a call."""
    return _with_audio(reading, np.stack([reading.audio, 0.5 * reading.audio], axis=1))


FORMS: Mapping[str, Callable[[Reading], Reading]] = {
    "clean": lambda reading: reading,
    "noisy": _noisy,
    "telephone": _telephone,
    "quiet": _quiet,
    "gap": _gap,
    "stereo": _stereo,
}


def _with_audio(reading: Reading, audio: NDArray[np.floating]) -> Reading:
    return Reading(audio=audio.astype(np.float32), words=reading.words)


def clips() -> list[tuple[str, Audio]]:
    """The LibriVox sentences: what is said, and the sound."""
    folder = DATA / "librivox"
    rows = [line.split("|") for line in (folder / "README.md").read_text().splitlines()]
    return [
        (row[2].strip(), decoded(folder / row[1].strip(" `")))
        for row in rows
        if len(row) > 2 and row[1].strip().startswith("`")
    ]


def decoded(path: Path) -> Audio:
    """The sound of a mono file of 16 kHz."""
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
    return (np.concatenate(frames, axis=1)[0] / 32768).astype(np.float32)


def _spoken(text: str, start: float, seconds: float) -> Sequence[SpokenWord]:
    parts = text.split()
    ends = np.cumsum([len(part) + 1 for part in parts])
    times = start + CLIP_EDGE + (seconds - 2 * CLIP_EDGE) * np.array([0, *ends]) / ends[-1]
    return [
        SpokenWord(text=part, start=float(times[index]), end=float(times[index + 1]))
        for index, part in enumerate(parts)
    ]
