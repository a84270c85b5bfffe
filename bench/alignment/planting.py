"""Errors of reading, planted into readings: by the sound, or by the text that is asked for."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.alignment.passages import Passage
from bench.alignment.voices import quiet
from bench.readings import SAMPLE_RATE, Audio

# Words from one error to the next.
APART = 8
# The first and the last words stay: an error there may count as not read at all.
EDGE = 3
# What joins two sounds, in seconds, so that no click is heard.
FADE_SECONDS = 0.005
HESITATION_SECONDS = 1.0
FILLER_PAUSE = 0.15
# A word that stands for another takes about as long.
MOST_LONGER = 1.6
NEAR = 3

IN_SOUND = ("wrong", "skipped", "inserted", "repeated", "filler", "hesitation")
IN_TEXT = ("wrong", "skipped", "inserted")


@dataclass(kw_only=True, frozen=True, slots=True)
class Planted:
    """An error.

    Attributes:
        kind: What it is.
        place: The word of the text that is asked for: the one concerned, or the one before
            which something else is spoken.
    """

    kind: str
    place: int


@dataclass(kw_only=True, frozen=True, slots=True, eq=False)
class Faulty:
    """A reading with errors.

    Attributes:
        audio: The recording.
        text: What was asked for.
        planted: The errors, in order.
        correct: How many words of the text are read as they are.
        seconds: From the beginning of the first word to the end of the last.
    """

    audio: Audio
    text: str
    planted: tuple[Planted, ...]
    correct: int
    seconds: float


def untouched(passage: Passage) -> Faulty:
    """The reading as it is."""
    return Faulty(
        audio=passage.audio,
        text=passage.text,
        planted=(),
        correct=len(passage.words),
        seconds=passage.spans[-1][1] - passage.spans[0][0],
    )


def plant_in_sound(passage: Passage, filler: Audio, seed: int) -> Faulty:
    """Cuts words out, and splices words, silence and fillers in, where the words were found.

    Args:
        passage: The reading.
        filler: Somebody who says "um".
        seed: Chooses words.
    """
    chance = random.Random(seed)
    level = np.sqrt(np.mean(passage.audio**2) / np.mean(filler**2))
    um = np.concatenate(
        [
            quiet(passage.audio, FILLER_PAUSE, seed),
            (filler * level).astype(np.float32),
            quiet(passage.audio, FILLER_PAUSE, seed + 1),
        ]
    )
    parts: list[Audio] = []
    planted = []
    done = 0
    for number, place in enumerate(_places(passage, chance)):
        kind = IN_SOUND[number % len(IN_SOUND)]
        start, end = (round(each * SAMPLE_RATE) for each in passage.spans[place])
        own = passage.audio[start:end]
        if kind in ("wrong", "inserted"):
            added = _other(passage, place, chance)
        elif kind == "repeated":
            added = own
        elif kind == "filler":
            added = um
        elif kind == "hesitation":
            added = quiet(passage.audio, HESITATION_SECONDS, seed)
        else:
            added = own[:0]
        parts += [passage.audio[done:start], added]
        done = end if kind in ("wrong", "skipped") else start
        planted.append(Planted(kind=kind, place=place))
    audio = joined([*parts, passage.audio[done:]])
    lost = sum(each.kind in ("wrong", "skipped") for each in planted)
    longer = (len(audio) - len(passage.audio)) / SAMPLE_RATE
    return Faulty(
        audio=audio,
        text=passage.text,
        planted=tuple(planted),
        correct=len(passage.words) - lost,
        seconds=passage.spans[-1][1] - passage.spans[0][0] + longer,
    )


def plant_in_text(passage: Passage, vocabulary: Sequence[str], seed: int) -> Faulty:
    """Replaces, adds and removes words of the text, so that the same reading departs from it.

    Args:
        passage: The reading.
        vocabulary: Other words.
        seed: Chooses words.
    """
    chance = random.Random(seed)
    chosen = {
        place: IN_TEXT[number % len(IN_TEXT)]
        for number, place in enumerate(_places(passage, chance))
    }
    asked: list[str] = []
    planted = []
    for place, word in enumerate(passage.words):
        following = passage.words[place + 1].offset if place + 1 < len(passage.words) else None
        # With its punctuation.
        written = passage.text[word.offset : following].split()[0]
        kind = chosen.get(place)
        if kind:
            planted.append(Planted(kind=kind, place=len(asked)))
        if kind in ("wrong", "skipped"):
            near = {each.text.lower() for each in passage.words[max(0, place - NEAR) :][: 2 * NEAR]}
            asked.append(chance.choice([each for each in vocabulary if each not in near]))
        if kind in (None, "skipped"):
            asked.append(written)
    wrong = sum(each.kind == "wrong" for each in planted)
    removed = sum(each.kind == "inserted" for each in planted)
    return Faulty(
        audio=passage.audio,
        text=" ".join(asked),
        planted=tuple(planted),
        correct=len(passage.words) - wrong - removed,
        seconds=passage.spans[-1][1] - passage.spans[0][0],
    )


def joined(parts: Sequence[Audio]) -> Audio:
    """Sounds one after another, each faded in and out."""
    size = round(FADE_SECONDS * SAMPLE_RATE)
    rise = np.linspace(0, 1, size, dtype=np.float32)
    made = []
    for part in parts:
        faded = part.copy()
        if len(faded) >= 2 * size:
            faded[:size] *= rise
            faded[-size:] *= rise[::-1]
        made.append(faded)
    return np.concatenate(made)


def _places(passage: Passage, chance: random.Random) -> list[int]:
    """Words well apart that are spoken as one word and are inside a phrase, unlike those near."""
    found: list[int] = []
    following = EDGE + chance.randrange(APART)
    for place in range(EDGE, len(passage.words) - EDGE):
        word = passage.words[place]
        near = [
            each.text.lower()
            for each in passage.words[place - NEAR : place + NEAR + 1]
            if each is not word
        ]
        fits = (
            len(word.spoken) == 1
            and not word.ends_phrase
            and not passage.words[place - 1].ends_phrase
            and word.text.lower() not in near
        )
        if place >= following and fits:
            found.append(place)
            following = place + APART
    return found


def _other(passage: Passage, place: int, chance: random.Random) -> Audio:
    """The sound of another word of the same reader that takes about as long."""
    own = passage.spans[place][1] - passage.spans[place][0]
    near = {each.text.lower() for each in passage.words[max(0, place - NEAR) :][: 2 * NEAR]}
    fitting = [
        span
        for word, span in zip(passage.words, passage.spans, strict=True)
        if word.text.lower() not in near
        and own / MOST_LONGER <= span[1] - span[0] <= own * MOST_LONGER
    ]
    # A word of a length of its own has no such other.
    start, end = chance.choice(fitting or [passage.spans[0]])
    return passage.audio[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)]
