"""The engines, for the tests of what each promises."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from maie_diarization.engine import Engine
from maie_diarization.engines import embedded
from maie_diarization.settings import DiarizationSettings


@dataclass(kw_only=True, frozen=True)
class EngineCase:
    """An engine.

    Attributes:
        create: Its factory.
        settings: Its settings, for a folder that is empty.
    """

    create: Callable[[DiarizationSettings], AbstractAsyncContextManager[Engine]]
    settings: Callable[[Path], DiarizationSettings]


CASES = {
    "embedded": EngineCase(
        create=embedded.create, settings=lambda _: DiarizationSettings(engine="embedded", slots=2)
    )
}
