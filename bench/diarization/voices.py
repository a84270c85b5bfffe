"""Voices: real ones from a folder, and synthetic ones by flite and espeak-ng."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np

from bench.diarization.phrases import Phrase, phrases
from bench.readings import SAMPLE_RATE, Audio, SpokenWord
from tests.models.voices import flite
from tests.models.voices.flite import Manner
from tests.models.voices.sentences import SENTENCES
from tests.models.voices.takes import voice as say

# All voices speak at this level: the mean power of their phrases, in dB of full scale.
LEVEL_DB = -26.0
# A shorter phrase leaves too little to know a voice by, even for people.
SHORTEST_SECONDS = 0.8
SOUNDS = (".flac", ".wav", ".ogg", ".mp3")
# Each synthetic voice says so many sentences, which takes half a minute of its speech.
SENTENCES_EACH = 20
FLITE = ("awb", "rms", "slt", "kal16")
# Variants of espeak-ng that differ in pitch and formants.
ESPEAK = ("en-gb+m3", "en-us+f2", "en-gb+f5", "en-us+m7")


class NoVoicesError(Exception):
    """Voices that were asked for are not there."""


@dataclass(kw_only=True, frozen=True, slots=True, eq=False)
class Voice:
    """A voice and all that it can say.

    Attributes:
        name: Its name, which is the speaker's in the truth.
        phrases: What it can say, at one level.
    """

    name: str
    phrases: tuple[Phrase, ...]


def real_voices(folder: Path, count: int) -> list[Voice]:
    """The first voices of a folder with a folder of recordings for each speaker.

    Raises:
        NoVoicesError: There are fewer.
    """
    names = sorted(each.name for each in folder.iterdir() if each.is_dir())
    if len(names) < count:
        raise NoVoicesError(
            f"{folder} has {len(names)} folders of speakers, and {count} are needed; "
            "give --voices a folder with SPEAKER/*.flac or *.wav."
        )
    return [voice_of(folder / name) for name in names[:count]]


def voice_of(folder: Path) -> Voice:
    """The voice of a folder's recordings.

    Raises:
        NoVoicesError: There is no speech in them.
    """
    return _voice(folder.name, _read(folder))


def synthetic_voices(count: int) -> list[Voice]:
    """Voices of flite, which differ as people do, and then of espeak-ng, which has one timbre.

    Raises:
        NoVoicesError: There are fewer, or a program is missing.
        FliteMissingError: flite is missing.
    """
    ways: Mapping[str, Callable[[str], tuple[Audio, Sequence[SpokenWord]]]] = {
        **{name: partial(_flite, name) for name in FLITE},
        **{name: partial(_espeak, name) for name in ESPEAK},
    }
    if count > len(ways):
        raise NoVoicesError(f"There are {len(ways)} synthetic voices, and {count} are needed.")
    flite.check(set(FLITE))
    return [
        _voice(name, (way(sentence) for sentence in SENTENCES[:SENTENCES_EACH]))
        for name, way in list(ways.items())[:count]
    ]


def at_speed(voice: Voice, times: float) -> Voice:
    """A voice that speaks so many times as fast, and as much higher: another person's."""
    if times == 1:
        return voice
    phrases = (Phrase(audio=_faster(each.audio, times)) for each in voice.phrases)
    return Voice(name=f"{voice.name}x{times:g}", phrases=tuple(phrases))


def _faster(audio: Audio, times: float) -> Audio:
    count = round(len(audio) / times)
    spectrum = np.fft.rfft(audio)[: count // 2 + 1]
    return (np.fft.irfft(spectrum, count) * (count / len(audio))).astype(np.float32)


def decoded(source: Path | BinaryIO) -> Audio:
    """A recording as mono at 16 kHz."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
    with av.open(str(source) if isinstance(source, Path) else source, "r") as container:
        frames = [
            part.to_ndarray()[0]
            for frame in [*container.decode(audio=0), None]
            for part in resampler.resample(frame)
        ]
    return (np.concatenate(frames) / 32768).astype(np.float32)


def _voice(name: str, utterances: Iterator[tuple[Audio, Sequence[SpokenWord]]]) -> Voice:
    found = [
        phrase
        for audio, words in utterances
        for phrase in phrases(audio, words)
        if phrase.seconds >= SHORTEST_SECONDS
    ]
    if not found:
        raise NoVoicesError(f"The recordings of {name} have no speech of {SHORTEST_SECONDS} s.")
    power = np.mean([np.mean(phrase.audio**2) for phrase in found])
    gain = np.float32(10 ** (LEVEL_DB / 20) / np.sqrt(power))
    return Voice(
        name=name,
        phrases=tuple(Phrase(audio=each.audio * gain, words=each.words) for each in found),
    )


def _read(folder: Path) -> Iterator[tuple[Audio, Sequence[SpokenWord]]]:
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in SOUNDS:
            yield decoded(path), ()


def _flite(name: str, sentence: str) -> tuple[Audio, Sequence[SpokenWord]]:
    take = say(sentence, Manner(voice=name))
    words = [SpokenWord(text=word.text, start=word.start, end=word.end) for word in take.words]
    return (take.samples / 32768).astype(np.float32), words


def _espeak(name: str, sentence: str) -> tuple[Audio, Sequence[SpokenWord]]:
    """Says a sentence; espeak-ng does not report when which word is said."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        try:
            subprocess.run(["espeak-ng", "-v", name, "-w", str(path), sentence], check=True)
        except FileNotFoundError:
            raise NoVoicesError(
                "espeak-ng was not found; install it (on Debian: apt install espeak-ng)."
            ) from None
        return decoded(path), ()
