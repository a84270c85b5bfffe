"""Speech whose times are known: sentences of books, as Flite says them.

The synthesis service's own process of Flite says when each word is spoken, and the program `flite`
when each sound is. Both speak alike, but for the noise that they excite voices with.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from bench.alignment.voices import texts
from bench.readings import SAMPLE_RATE
from maie_alignment.engine import Samples
from maie_alignment.text import spoken_forms
from maie_synthesis.engines.flite.engine import VOICES
from maie_synthesis.engines.flite.process import FliteProcess
from tests.models.voices import flite
from tests.models.voices.flite import Manner

SPEAKERS = ("slt", "rms", "awb")
# Models of engines hear at most 30 seconds, and Whisper reads as much at a time.
PASSAGE_SECONDS = 29.0
# What is printed of a sound's end has three decimals.
ROUNDED = 0.002


@dataclass(kw_only=True, frozen=True, slots=True)
class TimedWord:
    """A word: as it is written, when it is spoken, and when each of its sounds begins; seconds."""

    text: str
    start: float
    end: float
    sounds: tuple[float, ...]


@dataclass(kw_only=True, frozen=True, slots=True, eq=False)
class Spoken:
    """Some sentences, one after another.

    Attributes:
        voice: Whose voice it is.
        samples: The recording, at 16 kHz.
        sentences: The sentences.
        words: Their words.
    """

    voice: str
    samples: Samples
    sentences: tuple[str, ...]
    words: tuple[TimedWord, ...]


def plain_sentences() -> list[str]:
    """Sentences in whose words nothing is written otherwise than it is spoken."""
    return [text for text in texts().values() if all(map(_is_plain, text.split()))]


def spoken_passages(count: int) -> list[Spoken]:
    """Passages of each voice, of sentences of their own as long as there are any.

    Raises:
        FliteMissingError: The program or a voice is missing.
        FliteError: The library is missing.
    """
    flite.check(set(SPEAKERS))
    sentences = itertools.cycle(plain_sentences())
    with _process() as process:
        return [
            _passage(process, voice, sentences)
            for _, voice in itertools.product(range(count), SPEAKERS)
        ]


@contextmanager
def _process() -> Iterator[FliteProcess]:
    process = FliteProcess(tuple(VOICES[voice][0] for voice in SPEAKERS))
    try:
        process.start()
        yield process
    finally:
        process.kill()
        process.join()


def _passage(process: FliteProcess, voice: str, sentences: Iterator[str]) -> Spoken:
    said: list[str] = []
    parts: list[Samples] = []
    words: list[TimedWord] = []
    start = 0.0
    for sentence in sentences:
        samples, found = timed(process, voice, sentence, start)
        if start + len(samples) / SAMPLE_RATE > PASSAGE_SECONDS:
            break
        said.append(sentence)
        parts.append(samples)
        words += found
        start += len(samples) / SAMPLE_RATE
    return Spoken(
        voice=voice,
        samples=np.concatenate(parts),
        sentences=tuple(said),
        words=tuple(words),
    )


def timed(
    process: FliteProcess, voice: str, sentence: str, start: float
) -> tuple[Samples, list[TimedWord]]:
    """A sentence, and the times of its words where it begins at `start`."""
    library, _ = VOICES[voice]
    raw, _, spans = process.speak(sentence.encode("ascii"), library, 1.0)
    samples = np.frombuffer(raw, np.int16)
    same, phones = flite.speak(sentence, Manner(voice=voice))
    written = sentence.split()
    if len(spans) != len(written) or len(samples) != len(same):
        raise ValueError(f"Flite's program and library differ about: {sentence}")
    sounds = [phone.start for phone in phones if phone.name != flite.PAUSE]
    return samples, [
        TimedWord(
            text=word,
            start=start + begin,
            end=start + end,
            sounds=tuple(_within(sounds, begin, end, start)),
        )
        for word, (begin, end) in zip(written, spans, strict=True)
    ]


def _within(sounds: Sequence[float], begin: float, end: float, start: float) -> Iterator[float]:
    for sound in sounds:
        if begin - ROUNDED <= sound < end - ROUNDED:
            yield start + sound


def _is_plain(word: str) -> bool:
    """Whether a word is spoken as the one word that it is written as."""
    bare = word.strip(".,;:!?\"'()").lower()
    return word.isascii() and bare.replace("'", "").isalpha() and spoken_forms(word) == (bare,)
