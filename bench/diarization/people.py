"""The people whose voices settings are fitted to, and others with whom they are tested."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench.diarization.sources import VOICES, fetched
from bench.diarization.voices import Voice, at_speed, real_voices, voice_of
from bench.meshes import ROOT

# Another speed makes another person of a voice, as in the training of encoders.
SPEEDS: Final = (0.9, 1.0, 1.1)
_PEOPLE: Final = 10
_READER: Final = ROOT / "tests" / "data" / "librivox"

Person = tuple[Voice, ...]
"""One person's voice at each of `SPEEDS`."""


def people(folder: Path | None = None) -> tuple[Sequence[Person], Sequence[Person]]:
    """Six people for fitting, of whom one is the reader of the tests, and five for testing.

    Args:
        folder: The ten voices of `VOICES`; None fetches them.

    Raises:
        NotFetchedError: They cannot be fetched.
        NoVoicesError: The folder has fewer.
    """
    voices = real_voices(folder or fetched(VOICES), _PEOPLE)
    return (
        [_person(voice) for voice in (*voices[0::2], voice_of(_READER))],
        [_person(voice) for voice in voices[1::2]],
    )


def _person(voice: Voice) -> Person:
    return tuple(at_speed(voice, times) for times in SPEEDS)
