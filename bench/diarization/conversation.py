"""Conversations: who says which phrase when, and the sound of it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bench.diarization.phrases import Phrase
from bench.diarization.turns import Turn
from bench.diarization.voices import Voice
from bench.readings import SAMPLE_RATE, Audio

# Seconds between two phrases of a turn, and between two turns.
PAUSES = (0.3, 0.8)
GAPS = (0.1, 1.2)
# How long two turns overlap, and the share of a turn that may lie under another speaker's.
OVERLAPS = (0.5, 3.0)
MOST_OF_TURN = 0.8
# Each further phrase of a turn is as likely as this.
ANOTHER_PHRASE = 0.5
FIRST_SECOND = 0.5
# What a speaker may be softer by than the loudest.
SOFTER_DB = 4.0
# The noise of a quiet microphone, since digital silence betrays where nobody speaks.
FLOOR = 1e-4


@dataclass(kw_only=True, frozen=True, slots=True)
class Saying:
    """A phrase in a conversation, from `start` on, in seconds."""

    speaker: str
    start: float
    phrase: Phrase

    @property
    def end(self) -> float:
        """When its last sound ends."""
        return self.start + self.phrase.seconds


def converse(voices: Sequence[Voice], seconds: float, overlap: float, seed: int) -> list[Saying]:
    """Has voices talk to each other; each takes a turn before one takes a second.

    Args:
        voices: The speakers.
        seconds: How long at most.
        overlap: The share of speech in which two speak, 0 to about 0.25; never three.
        seed: The same one gives the same conversation.
    """
    chance = random.Random(seed)
    supply = {voice.name: _supply(voice, chance) for voice in voices}
    said: list[Saying] = []
    last: list[Saying] = []
    heard = _Heard(clear_from=FIRST_SECOND)
    for speaker in _order([voice.name for voice in voices], chance):
        turn = _turn(speaker, supply[speaker], chance)
        start = _start(last, turn, heard, overlap, chance)
        placed = [_later(saying, start) for saying in turn]
        if placed[-1].end > seconds:
            return said
        heard.add(last, placed)
        said += placed
        last = placed if not last or placed[-1].end >= last[-1].end else last
    return said


def turns_of(said: Sequence[Saying]) -> list[Turn]:
    """Each phrase as a turn."""
    return [Turn(start=each.start, end=each.end, speaker=each.speaker) for each in said]


def sound_of(
    said: Sequence[Saying], seconds: float, seed: int, rooms: Mapping[str, Audio] | None = None
) -> Audio:
    """The sound of a conversation, -1 to 1, of shape (samples,).

    Args:
        said: The conversation.
        seconds: How long the recording is.
        seed: The same one gives the same levels and noise.
        rooms: By speaker, the room's response from that speaker's place to the microphone.
    """
    chance = np.random.default_rng(seed)
    speakers = sorted({each.speaker for each in said})
    levels = {name: 10 ** (-chance.uniform(0, SOFTER_DB) / 20) for name in speakers}
    sound = np.zeros(round(seconds * SAMPLE_RATE), np.float32)
    for each in said:
        heard = each.phrase.audio * np.float32(levels[each.speaker])
        if rooms is not None:
            heard = convolved(heard, rooms[each.speaker])
        first = round(each.start * SAMPLE_RATE)
        part = sound[first : first + len(heard)]
        part += heard[: len(part)]
    sound += np.float32(FLOOR) * chance.standard_normal(len(sound), np.float32)
    return sound


def convolved(audio: Audio, response: Audio) -> Audio:
    """What a sound becomes on a way that answers a click with `response`."""
    size = len(audio) + len(response) - 1
    spectrum = np.fft.rfft(audio, size) * np.fft.rfft(response, size)
    return np.fft.irfft(spectrum, size).astype(np.float32)


@dataclass(kw_only=True, slots=True)
class _Heard:
    """What was said so far.

    Attributes:
        clear_from: From when on nobody but the last speaks, so that three never do; seconds.
        speech: Seconds of speech.
        overlapped: Of them, those in which two speak.
    """

    clear_from: float
    speech: float = 0.0
    overlapped: float = 0.0

    def add(self, last: Sequence[Saying], placed: Sequence[Saying]) -> None:
        both = sum(
            max(0.0, min(one.end, other.end) - max(one.start, other.start))
            for one in last
            for other in placed
        )
        self.overlapped += both
        self.speech += sum(each.phrase.seconds for each in placed) - both
        if last:
            first = min(last[-1].end, placed[-1].end)
            self.clear_from = max(self.clear_from, first + GAPS[0])


def _supply(voice: Voice, chance: random.Random) -> Iterator[Phrase]:
    while True:
        yield from chance.sample(voice.phrases, len(voice.phrases))


def _order(names: Sequence[str], chance: random.Random) -> Iterator[str]:
    """All in turn once; then some more often than others, as in meetings."""
    first = chance.sample(names, len(names))
    yield from first
    last = first[-1]
    weights = {name: 1 / (place + 1) ** 0.5 for place, name in enumerate(first)}
    while True:
        others = [name for name in names if name != last] or list(names)
        (last,) = chance.choices(others, [weights[name] for name in others])
        yield last


def _turn(speaker: str, supply: Iterator[Phrase], chance: random.Random) -> list[Saying]:
    """One or more phrases from second 0 on."""
    turn = [Saying(speaker=speaker, start=0.0, phrase=next(supply))]
    while chance.random() < ANOTHER_PHRASE:
        start = turn[-1].end + chance.uniform(*PAUSES)
        turn.append(Saying(speaker=speaker, start=start, phrase=next(supply)))
    return turn


def _start(
    last: Sequence[Saying],
    turn: Sequence[Saying],
    heard: _Heard,
    overlap: float,
    chance: random.Random,
) -> float:
    if not last:
        return FIRST_SECOND
    if heard.overlapped < overlap * heard.speech and last[0].speaker != turn[0].speaker:
        most = MOST_OF_TURN * min(last[-1].end - last[0].start, turn[-1].end)
        both = min(chance.uniform(*OVERLAPS), most)
        return max(last[-1].end - both, heard.clear_from)
    return last[-1].end + chance.uniform(*GAPS)


def _later(saying: Saying, seconds: float) -> Saying:
    return Saying(speaker=saying.speaker, start=saying.start + seconds, phrase=saying.phrase)
