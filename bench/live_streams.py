"""Streams of speech to send live, and the utterances that must come of them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.readings import DATA, SAMPLE_RATE, Audio, clips, decoded
from maie_asr.live.listening import Detector
from maie_cli.load.loudness import last_loud_end, loud_ends
from maie_speech.frames import FRAME_SAMPLES
from maie_speech.turn_machine import TurnMachine
from maie_speech.turns import TurnChange, TurnRules
from tests.live_engine import WORDS, quiet, say

# One message with audio.
PART_SECONDS = 0.1
PART_SAMPLES = round(PART_SECONDS * SAMPLE_RATE)
# Between two sentences; shorter pauses are no end of an utterance.
PAUSES = (0.8, 1.8)
LEAD_SECONDS, TAIL_SECONDS = 0.3, 1.5
# A quiet room: the full scale is 1.
ROOM = 0.0005
# Words of an utterance of tones.
TONES = (4, 14)

Samples = NDArray[np.int16]


@dataclass(kw_only=True, frozen=True, slots=True)
class Expected:
    """An utterance that a stream has.

    Attributes:
        start: Its first sample.
        end: The sample after its last one.
        decided: How many samples the detector needs to know its end.
        spoken: The sample after the last loud one.
    """

    start: int
    end: int
    decided: int
    spoken: int


@dataclass(kw_only=True, frozen=True, slots=True)
class Sentence:
    """A sentence of a stream.

    Attributes:
        text: What is said.
        end: The sample after its last loud one.
    """

    text: str
    end: int


@dataclass(kw_only=True, frozen=True, slots=True, eq=False)
class Stream:
    """One microphone.

    Attributes:
        samples: 16 kHz, mono.
        text: What is said.
        sentences: The same, sentence by sentence; empty where it has none.
    """

    samples: Samples
    text: str
    sentences: Sequence[Sentence] = ()

    @property
    def seconds(self) -> float:
        """The length."""
        return len(self.samples) / SAMPLE_RATE

    def expected(self, detector: Detector, rules: TurnRules) -> list[Expected]:
        """The utterances that the service must find, by its own detector and rules."""
        listener, machine = detector.open(), TurnMachine(rules)
        loud = loud_ends(self.samples, SAMPLE_RATE)
        found: list[Expected] = []
        whole = len(self.samples) // FRAME_SAMPLES * FRAME_SAMPLES
        heard = listener.feed(self.samples[:whole])
        for probability, narrow in zip(heard.probabilities, heard.narrow_band, strict=True):
            for turn in machine.feed([probability], [narrow]):
                if turn.change is not TurnChange.ENDED:
                    continue
                found.append(
                    Expected(
                        start=turn.span.start,
                        end=turn.span.end,
                        decided=machine.position,
                        spoken=last_loud_end(loud, machine.position) or 0,
                    )
                )
        return found


def spoken_stream(number: int, seconds: float, tail: float = TAIL_SECONDS) -> Stream:
    """Real sentences in an order of this stream's own, with pauses, in a quiet room.

    Args:
        number: The stream's number.
        seconds: How long it speaks, about.
        tail: The seconds of quiet room after the last sentence.
    """
    chance, noise = random.Random(number), np.random.default_rng(number)
    sentences = [*clips(), *_readings()]
    parts, words, ends = [_room(noise, LEAD_SECONDS)], [], []
    length = LEAD_SECONDS
    while length < seconds:
        for text, sound in chance.sample(sentences, len(sentences)):
            parts += [sound, _room(noise, chance.uniform(*PAUSES))]
            words.append(text)
            ends.append(sum(map(len, parts[:-1])))
            length += (len(parts[-2]) + len(parts[-1])) / SAMPLE_RATE
            if length >= seconds:
                break
    sound = np.concatenate([*parts, _room(noise, tail)])
    samples = np.clip(np.round(sound * 32768), -32768, 32767).astype(np.int16)
    loud = loud_ends(samples, SAMPLE_RATE)
    said = [
        Sentence(text=text, end=int(loud[loud <= end][-1]))
        for text, end in zip(words, ends, strict=True)
    ]
    return Stream(samples=samples, text=" ".join(words), sentences=said)


def toned_stream(number: int, seconds: float) -> Stream:
    """Tones, which `tests.live_engine` reads as words without a model."""
    chance = random.Random(number)
    parts, words = [quiet(LEAD_SECONDS)], []
    while sum(map(len, parts)) < seconds * SAMPLE_RATE:
        said = chance.choices(WORDS, k=chance.randint(*TONES))
        parts += [say(*said), quiet(chance.uniform(*PAUSES))]
        words += said
    return Stream(samples=np.concatenate([*parts, quiet(TAIL_SECONDS)]), text=" ".join(words))


def _readings() -> Sequence[tuple[str, Audio]]:
    """The sentences of the reading that is not in the band of a telephone."""
    folder = DATA / "readings"
    for line in (folder / "README.md").read_text().splitlines():
        name, _, rest = line.removeprefix("| `").partition("` | ")
        if name == "two-cities.flac":
            return [(rest.partition(" | ")[0], decoded(folder / name))]
    raise FileNotFoundError(folder / "two-cities.flac")


def _room(noise: np.random.Generator, seconds: float) -> Audio:
    return (noise.standard_normal(round(seconds * SAMPLE_RATE)) * ROOM).astype(np.float32)
