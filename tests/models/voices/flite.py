"""Speech by flite, with the times of its phones."""

from __future__ import annotations

import subprocess
import tempfile
import wave
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

SAMPLE_RATE = 16_000
# flite's name of silence.
PAUSE = "pau"

Samples = npt.NDArray[np.int16]


class FliteMissingError(Exception):
    """flite is not installed, or without a voice that is needed."""


@dataclass(kw_only=True, frozen=True, slots=True)
class Manner:
    """How a sentence is said.

    Attributes:
        voice: One of flite's voices.
        stretch: How long it takes, as a factor of the voice's own time.
        pitch: The mean pitch in Hz; None is the voice's own.
    """

    voice: str
    stretch: float = 1.0
    pitch: float | None = None


@dataclass(kw_only=True, frozen=True, slots=True)
class Phone:
    """A sound of speech, from the end of the one before; seconds."""

    name: str
    start: float
    end: float


def check(voices: set[str]) -> None:
    """Raises FliteMissingError unless flite has these voices; it takes another one silently."""
    try:
        known = set(_run("-lv").partition(":")[2].split())
    except FileNotFoundError as error:
        raise FliteMissingError(
            "flite was not found; install it (on Debian: apt install flite)."
        ) from error
    if missing := sorted(voices - known):
        raise FliteMissingError(
            f"flite lacks the voices {', '.join(missing)}; install Debian's package flite, "
            "which has them."
        )


def speak(text: str, manner: Manner) -> tuple[Samples, list[Phone]]:
    """Says a text: samples at 16 kHz, and its phones with the pauses between them."""
    features = ["--setf", f"duration_stretch={manner.stretch}"]
    if manner.pitch is not None:
        features += ["--setf", f"int_f0_target_mean={manner.pitch}"]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "speech.wav"
        said = _run("-voice", manner.voice, *features, "-psdur", "-t", text, "-o", str(file))
        with wave.open(str(file)) as speech:
            if (speech.getframerate(), speech.getnchannels()) != (SAMPLE_RATE, 1):
                raise ValueError(f"flite's voice {manner.voice} is not 16 kHz mono")
            samples = np.frombuffer(speech.readframes(speech.getnframes()), np.int16)
    return samples, _phones(said)


@cache
def pronounce(word: str, voice: str) -> tuple[str, ...]:
    """The phones of a word said alone, without pauses."""
    phones = _run("-voice", voice, "-ps", "-t", word, "none").split()
    return tuple(phone for phone in phones if phone != PAUSE)


def _phones(said: str) -> list[Phone]:
    """Reads what `-psdur` prints: names with the ends of phones."""
    phones: list[Phone] = []
    for each in said.split():
        name, _, end = each.rpartition(":")
        start = phones[-1].end if phones else 0.0
        phones.append(Phone(name=name, start=start, end=float(end)))
    return phones


def _run(*arguments: str) -> str:
    return subprocess.run(["flite", *arguments], check=True, capture_output=True, text=True).stdout
