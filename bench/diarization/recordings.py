"""The recordings of the bench: generated ones with their truth, and real ones from a folder."""

from __future__ import annotations

import subprocess
import wave
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.diarization.conversation import Saying, converse, sound_of, turns_of
from bench.diarization.environment import PYTHON
from bench.diarization.forms import CLEAN, FAR, in_form
from bench.diarization.turns import Turn, read_rttm, write_rttm
from bench.diarization.voices import SOUNDS, Voice, decoded
from bench.meshes import ROOT
from bench.readings import SAMPLE_RATE, Audio, SpokenWord

ROOMS = ROOT / "bench" / "diarization" / "_rooms.py"


@dataclass(kw_only=True, frozen=True, slots=True)
class Case:
    """A conversation that is generated.

    Attributes:
        voices: "real" or "synthetic".
        speakers: How many speak.
        seconds: How long it is.
        overlap: The share of speech in which two speak, 0 to about 0.25.
        form: One of `bench.diarization.forms`.
        take: Cases that differ in it alone are different conversations.
    """

    voices: str
    speakers: int
    seconds: float = 180.0
    overlap: float = 0.0
    form: str = CLEAN
    take: int = 1

    @property
    def name(self) -> str:
        """What tells it from other cases; the same for each take's forms up to the form."""
        return f"{self._said}-{self.form}"

    @property
    def group(self) -> str:
        """What cases have in common that differ in the number of speakers."""
        overlap = f", overlap {round(100 * self.overlap)} %" if self.overlap else ""
        return f"{self.voices}, {self.form}{overlap}"

    @property
    def _said(self) -> str:
        overlap = f"-overlap{round(100 * self.overlap)}" if self.overlap else ""
        length = f"-{self.seconds:g}s" if self.seconds != 180 else ""
        take = f"-take{self.take}" if self.take > 1 else ""
        return f"{self.voices}-{self.speakers}{overlap}{length}{take}"

    @property
    def seed(self) -> int:
        """From what is said, so that all forms are of the same conversation."""
        return zlib.crc32(self._said.encode())


@dataclass(kw_only=True, frozen=True, slots=True)
class Recording:
    """A recording and its truth.

    Attributes:
        name: Its name.
        group: What it has in common with others that are summed up with it.
        path: A WAV file.
        turns: Who speaks when.
        seconds: How long it is.
        words: What is said, where it is known.
    """

    name: str
    group: str
    path: Path
    turns: tuple[Turn, ...]
    seconds: float
    words: tuple[SpokenWord, ...] = ()


def generated(case: Case, voices: Sequence[Voice], folder: Path) -> Recording:
    """Makes a case's files: NAME.wav and NAME.rttm."""
    speakers = voices[: case.speakers]
    said = converse(speakers, case.seconds, case.overlap, case.seed)
    turns = turns_of(said)
    rooms = room(speakers, case.seed, folder) if case.form == FAR else None
    sound = sound_of(said, case.seconds, case.seed, rooms)
    path = folder / f"{case.name}.wav"
    write_sound(path, in_form(case.form, sound, turns, voices, case.seed))
    write_rttm(path.with_suffix(".rttm"), turns)
    return Recording(
        name=case.name,
        group=case.group,
        path=path,
        turns=tuple(turns),
        seconds=case.seconds,
        words=_words(said) if all(each.phrase.words for each in said) else (),
    )


def real(folder: Path, copies: Path) -> Iterator[Recording]:
    """The recordings of a folder whose turns are in one of its RTTM files, by name.

    Args:
        folder: Recordings NAME.wav (or another format), and files *.rttm of one or more of them.
        copies: Where each is written as mono WAV of 16 kHz, which all products read.
    """
    truth = {
        name: turns
        for path in sorted(folder.glob("*.rttm"))
        for name, turns in read_rttm(path).items()
    }
    for path in sorted(each for each in folder.iterdir() if each.suffix.lower() in SOUNDS):
        if path.stem in truth:
            sound = decoded(path)
            copy = copies / f"{path.stem}.wav"
            write_sound(copy, sound)
            yield Recording(
                name=path.stem,
                group="meetings",
                path=copy,
                turns=tuple(truth[path.stem]),
                seconds=len(sound) / SAMPLE_RATE,
            )


def write_sound(path: Path, audio: Audio) -> None:
    """Writes mono WAV of 16 bits, a minute at a time, since the longest has four hours."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        for first in range(0, len(audio), 60 * SAMPLE_RATE):
            part = np.round(audio[first : first + 60 * SAMPLE_RATE] * 32768)
            file.writeframes(np.clip(part, -32768, 32767).astype("<i2").tobytes())


def room(voices: Sequence[Voice], seed: int, folder: Path) -> Mapping[str, Audio]:
    """By voice, what a room answers to a click from its place; the seed says which room.

    Args:
        voices: Those who speak in it.
        seed: The same one gives the same room.
        folder: Where the simulation may write.
    """
    path = folder / "room.npy"
    command = [str(PYTHON), str(ROOMS), str(seed), str(len(voices)), str(path)]
    subprocess.run(command, check=True)
    responses = np.load(path)
    path.unlink()
    return {voice.name: each for voice, each in zip(voices, responses, strict=True)}


def _words(said: Sequence[Saying]) -> tuple[SpokenWord, ...]:
    words = [
        SpokenWord(text=word.text, start=each.start + word.start, end=each.start + word.end)
        for each in said
        for word in each.phrase.words
    ]
    return tuple(sorted(words, key=lambda word: word.start))
