"""Takes: every sentence in every manner, with the times of its words."""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tests.models.voices import flite
from tests.models.voices.alignment import align
from tests.models.voices.flite import Manner, Phone, Samples
from tests.models.voices.sentences import SENTENCES

# The voices that the model learns, with their mean pitch in Hz, and one that it never hears.
PITCHES = {"awb": 130.0, "rms": 105.0, "slt": 170.0}
UNSEEN_VOICE = "kal16"
# What training hears of each voice, and what is kept for measuring.
TRAINED = tuple(
    manner
    for voice, pitch in PITCHES.items()
    for manner in (
        Manner(voice=voice, stretch=0.85),
        Manner(voice=voice),
        Manner(voice=voice, stretch=1.2),
        Manner(voice=voice, stretch=0.93, pitch=pitch * 1.15),
    )
)
UNSEEN = tuple(
    Manner(voice=voice, stretch=1.08, pitch=pitch * 0.85) for voice, pitch in PITCHES.items()
)


@dataclass(kw_only=True, frozen=True, slots=True)
class Word:
    """A word with its punctuation; seconds."""

    text: str
    start: float
    end: float


@dataclass(kw_only=True, frozen=True, slots=True)
class Take:
    """A sentence as it was said once.

    Attributes:
        sentence: As it is written.
        manner: How it was said.
        samples: At 16 kHz.
        phones: The sounds from first to last, pauses among them.
        words: The words with their times.
    """

    sentence: str
    manner: Manner
    samples: Samples
    phones: list[Phone]
    words: list[Word]


def voice(sentence: str, manner: Manner) -> Take:
    """Has a sentence said."""
    samples, phones = flite.speak(sentence, manner)
    texts = sentence.split()
    alone = [flite.pronounce(text.lower().strip(".,!?:"), manner.voice) for text in texts]
    spans = align(alone, phones)
    words = [
        Word(text=text, start=start, end=end)
        for text, (start, end) in zip(texts, spans, strict=True)
    ]
    return Take(sentence=sentence, manner=manner, samples=samples, phones=phones, words=words)


def voice_all(manners: Iterable[Manner]) -> list[Take]:
    """Has all sentences said in all manners.

    Raises:
        FliteMissingError: flite is not there, or a voice.
    """
    manners = tuple(manners)
    flite.check({manner.voice for manner in manners})
    wanted = [(sentence, manner) for manner in manners for sentence in SENTENCES]
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        return list(threads.map(lambda each: voice(*each), wanted))
