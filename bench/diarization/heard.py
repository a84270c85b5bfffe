"""Generated conversations, and the voices that an engine finds in them."""

from __future__ import annotations

import random
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from bench.diarization.people import Person
from bench.diarization.recordings import Case, generated
from bench.diarization.turns import Turn
from bench.diarization.voices import Voice
from maie.diarization.v1 import diarization_pb2 as diarization
from maie_diarization import engine
from maie_diarization.engine import SAMPLE_RATE, Engine, Samples, SpeechRange
from maie_diarization.messages import plain_voices, voice_message

MOST_SPEAKERS: Final = 6
CHUNK_SECONDS: Final = 60
# Who says less is not counted: nobody could.
LEAST_SECONDS: Final = 3.0


@dataclass(kw_only=True, frozen=True, slots=True)
class Heard:
    """A conversation and what is heard of it.

    Attributes:
        group: What it has in common with others, such as the form.
        seconds: How long it is.
        turns: Who speaks when.
        chunks: The voices of each chunk.
    """

    group: str
    seconds: float
    turns: Sequence[Turn]
    chunks: Sequence[Sequence[engine.Voice]]

    def speakers(self, seconds: float) -> int:
        """How many speak in the first seconds."""
        said: dict[str, float] = {}
        for turn in self.turns:
            within = max(0.0, min(turn.end, seconds) - turn.start)
            said[turn.speaker] = said.get(turn.speaker, 0.0) + within
        return sum(length >= LEAST_SECONDS for length in said.values())

    def first(self, seconds: float) -> Sequence[Sequence[engine.Voice]]:
        """The voices of each chunk in the first seconds."""
        return [
            [voice for voice in voices if voice.window.end + place * CHUNK_SECONDS <= seconds]
            for place, voices in enumerate(self.chunks)
        ]


def heard(name: str, case: Case, people: Sequence[Person], folder: Path, hearing: Engine) -> Heard:
    """Makes a conversation and listens to it.

    Args:
        name: What tells these people from others.
        case: The conversation.
        people: Those who may speak.
        folder: Where what was heard stays, so that the next run need not listen.
        hearing: The engine.
    """
    recording = generated(case, _speakers(name, case, people), folder)
    with wave.open(str(recording.path)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    recording.path.unlink()
    said = f"{hearing.version.engine}-{name}-{case.name}"
    chunks = [
        _kept(folder / f"{said}-{place}.voices", samples, place, hearing)
        for place in range(-(-len(samples) // (CHUNK_SECONDS * SAMPLE_RATE)))
    ]
    return Heard(group=case.group, seconds=case.seconds, turns=recording.turns, chunks=chunks)


def _speakers(name: str, case: Case, people: Sequence[Person]) -> list[Voice]:
    """Each person at one speed, in some order; of the first one two where there are too few."""
    said = f"{name}{case.speakers}{case.take}{case.overlap}{case.form}"
    chance = random.Random(said)
    voices = [chance.choice(person) for person in chance.sample(people, len(people))]
    spare = [voice for voice in (people[0][0], people[0][-1]) if voice not in voices]
    return voices + spare[: MOST_SPEAKERS - len(voices)]


def _kept(path: Path, samples: Samples, place: int, hearing: Engine) -> list[engine.Voice]:
    start = place * CHUNK_SECONDS
    if not path.exists():
        part = samples[start * SAMPLE_RATE : (start + CHUNK_SECONDS) * SAMPLE_RATE]
        speech = [SpeechRange(start=0, end=len(part))]
        voices = hearing.listen(part, speech, lambda: None)
        found = diarization.Voices(voices=[voice_message(voice, 0) for voice in voices])
        path.write_bytes(found.SerializeToString())
    return plain_voices(diarization.Voices.FromString(path.read_bytes()))
