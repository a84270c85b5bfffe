"""Real readings whose texts are known: people of LibriSpeech, a clip for each sentence.

`texts.txt` has the sentences of ten people of its part test-other, as their books have them. Where
speech recognition heard something else, the engine's scores decided; nobody listened.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.diarization.sources import VOICES, fetched
from bench.diarization.voices import decoded
from bench.readings import NOISE_DB, SAMPLE_RATE, Audio, by_telephone, pink_noise
from maie_alignment.engine import Samples

# People whose clips may be used to choose thresholds; figures come from the others.
TUNING = ("1998", "2609", "367")
HELD_OUT = ("1688", "2033", "2414", "3005", "3080", "3331", "533")
FORMS = ("clean", "noise", "telephone")


@dataclass(kw_only=True, frozen=True, slots=True, eq=False)
class Clip:
    """A sentence as somebody read it."""

    speaker: str
    text: str
    audio: Audio


def clips(speakers: Sequence[str], folder: Path | None) -> list[Clip]:
    """The clips of some people, in the order of their books.

    Args:
        speakers: Their numbers.
        folder: Where their recordings are, as SPEAKER/SPEAKER-CHAPTER-NUMBER.flac; fetched
            where it is None.

    Raises:
        NotFetchedError: They cannot be fetched.
    """
    place = folder or fetched(VOICES)
    return [
        Clip(speaker=speaker, text=text, audio=decoded(place / speaker / f"{name}.flac"))
        for speaker in speakers
        for name, text in texts().items()
        if name.split("-")[0] == speaker
    ]


def texts() -> Mapping[str, str]:
    """What is read in each clip, by its name."""
    return dict(_texts())


def _texts() -> Iterator[tuple[str, str]]:
    file = Path(__file__).with_name("texts.txt")
    for line in file.read_text(encoding="utf-8").splitlines():
        name, _, text = line.partition(" ")
        yield name, text


def in_form(form: str, audio: Audio) -> Audio:
    """A recording in one of the forms: with pink noise of 10 dB below speech, or by telephone."""
    if form == "telephone":
        return by_telephone(audio)
    if form == "noise":
        power = np.mean(audio[np.abs(audio) > 1e-3] ** 2) / 10 ** (NOISE_DB / 10)
        noise = pink_noise(len(audio), seed=0) * np.sqrt(power)
        return (audio + noise).astype(np.float32)
    return audio


def samples_of(audio: Audio) -> Samples:
    """The same as 16-bit samples."""
    return np.clip(np.round(audio * 32768), -32768, 32767).astype(np.int16)


def quiet(audio: Audio, seconds: float, seed: int) -> Audio:
    """Noise as loud as the quietest twentieth of a second of a recording."""
    size = SAMPLE_RATE // 20
    frames = audio[: len(audio) // size * size].reshape(-1, size)
    level = np.sqrt(np.mean(frames**2, axis=1).min())
    noise = np.random.default_rng(seed).standard_normal(round(seconds * SAMPLE_RATE))
    return (noise * level).astype(np.float32)
