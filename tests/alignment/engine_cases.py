"""The engines that the contract is tested with, and audio that each understands."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from maie_alignment.engine import Engine, Samples
from maie_alignment.engines.ctc.folder import DEFAULT_MODEL
from maie_alignment.engines.embedded.engine import create as create_embedded
from maie_alignment.engines.triton import engine as triton
from maie_alignment.engines.wav2vec2.engine import create as create_wav2vec2
from maie_alignment.settings import AlignmentSettings, TritonSettings, Wav2Vec2Settings
from maie_core.models import DEFAULT_MODELS_DIR, MANIFEST, model_store
from tests.alignment.ctc_model import spoken, write_model
from tests.alignment.kserve_server import MODEL, KserveServer, serving, tls_of
from tests.alignment.readings import AMIABLE, AMIABLE_TEXT, read_audio, words_of
from tests.certificates import TestCa

HAMA = model_store(Path(os.environ.get("MAIE_MODELS_DIR", DEFAULT_MODELS_DIR))) / DEFAULT_MODEL
needs_hama = pytest.mark.skipif(
    not (HAMA / MANIFEST).is_file(), reason=f"needs maie models pull {DEFAULT_MODEL}"
)
needs_torch = pytest.mark.skipif(
    not find_spec("transformers"), reason="make test-alignment-engines runs it"
)
TONES = "the black dog jumps over my old fence"


@dataclass(kw_only=True, frozen=True, slots=True)
class Case:
    """An engine, and what it needs.

    Attributes:
        create: Its factory.
        settings: Makes its settings, with a folder of its own.
        audio: Makes audio, and the words in it.
        wrong: A word of it, and another one that is not in it.
        marks: What a test of it is marked with.
        has_phones: Whether it says when sounds are spoken.
        hears: Whether its model is one that was trained.
        is_remote: Whether its model is on another machine.
    """

    create: Callable[[AlignmentSettings], AbstractAsyncContextManager[Engine]]
    settings: Callable[[Path], AlignmentSettings]
    audio: Callable[[], tuple[Samples, Sequence[str]]]
    wrong: tuple[str, str]
    marks: tuple[Any, ...] = ()
    has_phones: bool = True
    hears: bool = True
    is_remote: bool = False


def read_aloud() -> tuple[Samples, Sequence[str]]:
    return read_audio(AMIABLE), words_of(AMIABLE_TEXT)


def as_tones() -> tuple[Samples, Sequence[str]]:
    return spoken(TONES), TONES.split()


def of_tones(folder: Path) -> AlignmentSettings:
    own = Wav2Vec2Settings(model_path=write_model(folder / "tones"))
    return AlignmentSettings(slots=2, wav2vec2=own)


def of_torch(folder: Path) -> AlignmentSettings:
    # Needs packages that are not everywhere.
    from tests.alignment.torch_ctc_model import write_torch_model

    own = Wav2Vec2Settings(model_path=write_torch_model(folder / "tiny"), backend="torch")
    return AlignmentSettings(slots=2, wav2vec2=own)


def on_a_server(source: Callable[[Path], Path]) -> Callable[[Path], AlignmentSettings]:
    """Settings for a server that runs a model; it is started with the engine."""

    def settings(folder: Path) -> AlignmentSettings:
        own = TritonSettings(
            address="127.0.0.1:1",
            ca_file=TestCa(folder=folder / "ca").ca_file,
            model=MODEL,
            model_path=source(folder / "model"),
        )
        return AlignmentSettings(slots=2, triton=own)

    return settings


@asynccontextmanager
async def create_triton(settings: AlignmentSettings) -> AsyncIterator[Engine]:
    """The engine `triton`, and a server that has its model."""
    own = settings.triton
    assert own.model_path is not None
    assert own.ca_file is not None
    ca = TestCa(folder=own.ca_file.parent)
    server = KserveServer(folder=own.model_path)
    async with serving(server, tls_of(ca)) as address:
        there = own.model_copy(update={"address": address})
        async with triton.create(settings.model_copy(update={"triton": there})) as engine:
            yield engine


CASES = {
    "embedded": Case(
        create=create_embedded,
        settings=lambda _: AlignmentSettings(slots=2),
        audio=read_aloud,
        wrong=("respectable", "holiday"),
    ),
    "wav2vec2-phones": Case(
        create=create_wav2vec2,
        settings=lambda _: AlignmentSettings(slots=2, wav2vec2=Wav2Vec2Settings(model_path=HAMA)),
        audio=read_aloud,
        wrong=("respectable", "holiday"),
        marks=(needs_hama,),
    ),
    "wav2vec2-letters": Case(
        create=create_wav2vec2,
        settings=of_tones,
        audio=as_tones,
        wrong=("jumps", "sleeps"),
        has_phones=False,
    ),
    "triton-phones": Case(
        create=create_triton,
        settings=on_a_server(lambda _: HAMA),
        audio=read_aloud,
        wrong=("respectable", "holiday"),
        marks=(needs_hama,),
        is_remote=True,
    ),
    "triton-letters": Case(
        create=create_triton,
        settings=on_a_server(write_model),
        audio=as_tones,
        wrong=("jumps", "sleeps"),
        has_phones=False,
        is_remote=True,
    ),
    "wav2vec2-torch": Case(
        create=create_wav2vec2,
        settings=of_torch,
        audio=read_aloud,
        wrong=("respectable", "holiday"),
        marks=(needs_torch,),
        has_phones=False,
        hears=False,
    ),
}


def cases() -> list[Any]:
    """The names of the cases, as parameters of a fixture."""
    return [pytest.param(name, marks=case.marks) for name, case in CASES.items()]
