"""A person's clips as one recording with one text, and when each word is spoken."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.alignment.voices import Clip, quiet, samples_of
from bench.readings import SAMPLE_RATE, Audio
from maie_alignment.engine import Engine
from maie_alignment.text import TextWord, text_words

PAUSE_SECONDS = 0.4


@dataclass(kw_only=True, frozen=True, slots=True, eq=False)
class Passage:
    """A reading.

    Attributes:
        speaker: Who reads.
        audio: The recording.
        text: What is read.
        words: Its words.
        spans: When each is spoken, in seconds from the recording's start.
    """

    speaker: str
    audio: Audio
    text: str
    words: tuple[TextWord, ...]
    spans: tuple[tuple[float, float], ...]


async def passages(found: Sequence[Clip], engine: Engine) -> list[Passage]:
    """One passage for each person.

    Args:
        found: The clips, those of a person together.
        engine: Finds the words, clip by clip. A clip that it cannot align is left out.
    """
    groups = itertools.groupby(found, lambda clip: clip.speaker)
    return [await _passage(speaker, list(own), engine) for speaker, own in groups]


async def _passage(speaker: str, own: Sequence[Clip], engine: Engine) -> Passage:
    parts: list[Audio] = []
    spans: list[tuple[float, float]] = []
    texts: list[str] = []
    size = 0
    for clip in own:
        words = text_words(clip.text)
        forms = [form for word in words for form in word.spoken]
        aligned = await engine.align(samples_of(clip.audio), forms)
        if len(aligned) != len(forms):
            continue
        rest = iter(aligned)
        start = size / SAMPLE_RATE
        for word in words:
            spoken = list(itertools.islice(rest, len(word.spoken)))
            spans.append((start + spoken[0].start, start + spoken[-1].end))
        texts.append(clip.text)
        parts += [clip.audio, quiet(clip.audio, PAUSE_SECONDS, seed=size)]
        size += len(parts[-2]) + len(parts[-1])
    text = " ".join(texts)
    return Passage(
        speaker=speaker,
        audio=np.concatenate(parts),
        text=text,
        words=tuple(text_words(text)),
        spans=tuple(spans),
    )
