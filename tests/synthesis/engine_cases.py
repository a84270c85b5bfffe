"""The engines that the contract is tested with."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from maie_synthesis.engine import Engine
from maie_synthesis.engines.chatterbox.engine import create as create_chatterbox
from maie_synthesis.engines.flite.engine import create as create_flite
from maie_synthesis.engines.kokoro.engine import create as create_kokoro
from maie_synthesis.settings import ChatterboxSettings, KokoroSettings, SynthesisSettings
from tests.synthesis.chatterbox_model import write_model as write_chatterbox
from tests.synthesis.chatterbox_model import write_voices
from tests.synthesis.flite import needs_flite
from tests.synthesis.kokoro_model import write_model as write_kokoro


@dataclass(kw_only=True, frozen=True, slots=True)
class Case:
    """An engine, and what it needs.

    Attributes:
        create: Its factory.
        settings: Makes its settings, with a folder of its own.
        marks: What a test of it is marked with.
        tells_words: Whether it says when words are spoken.
    """

    create: Callable[[SynthesisSettings], AbstractAsyncContextManager[Engine]]
    settings: Callable[[Path], SynthesisSettings]
    marks: tuple[Any, ...] = ()
    tells_words: bool = True


CASES = {
    "flite": Case(
        create=create_flite, settings=lambda _: SynthesisSettings(slots=2), marks=(needs_flite,)
    ),
    "kokoro": Case(
        create=create_kokoro,
        settings=lambda folder: SynthesisSettings(
            slots=2, kokoro=KokoroSettings(model_path=write_kokoro(folder / "tiny"))
        ),
        # This export of the network does not say how long each phoneme is.
        tells_words=False,
    ),
    "chatterbox": Case(
        create=create_chatterbox,
        settings=lambda folder: SynthesisSettings(
            slots=2,
            chatterbox=ChatterboxSettings(
                model_path=write_chatterbox(folder / "tiny"),
                voices_path=write_voices(folder / "voices"),
            ),
        ),
        # It says which codes it made, and not of which words.
        tells_words=False,
    ),
}


def cases() -> list[Any]:
    """The names of the cases, as parameters of a fixture."""
    return [pytest.param(name, marks=case.marks) for name, case in CASES.items()]
