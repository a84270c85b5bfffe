"""Which engine reads live speech: that of recordings, or one of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from maie_asr.engine import Engine
from maie_asr.live.engine import LiveEngine, OffersLive
from maie_asr.live.whole import WholeUtterances
from maie_asr.settings import ENGINES, AsrSettings
from maie_runtime.worker.engines import load_engine


@asynccontextmanager
async def open_live_engine(
    settings: AsrSettings, engine: Engine
) -> AsyncIterator[tuple[Engine, LiveEngine]]:
    """Yields the engine for live speech: what it is, and how it reads.

    It is the one for recordings where the settings ask for no other and both can use one model
    without slowing each other; else another instance is loaded.

    Args:
        settings: The service's settings.
        engine: The engine for recordings.

    Raises:
        StageError: As the engine's factory raises it.
    """
    shared = None if settings.live.apart or not isinstance(engine, OffersLive) else engine.live()
    if shared is not None:
        yield engine, shared
        return
    own = settings_of_own(settings)
    async with load_engine(ENGINES, own.engine)(own) as loaded:
        live = loaded.live() if isinstance(loaded, OffersLive) else None
        yield loaded, live or WholeUtterances(loaded)


def settings_of_own(settings: AsrSettings) -> AsrSettings:
    """The settings of an engine that reads live speech alone.

    Each worker computes in one thread: several readings at a time get more out of the cores than
    one on all of them.
    """
    live = settings.live
    name = live.engine or settings.engine
    changes: dict[str, Any] = {
        "engine": name,
        "slots": live.worker_count,
        "live": live.model_copy(update={"engine": "", "model_path": None, "device": ""}),
    }
    options = getattr(settings, name, None)
    if options is not None:
        changes[name] = options.model_copy(update=_overrides(settings, options))
    return settings.model_copy(update=changes)


def _overrides(settings: AsrSettings, options: Any) -> dict[str, Any]:
    live = settings.live
    fields: dict[str, Any] = {}
    if live.model_path is not None:
        fields |= {"model_path": live.model_path, "variant": "", "sha256": ""}
    if live.device:
        fields["device"] = live.device
    if fields.get("device", getattr(options, "device", "")) == "cpu":
        fields |= {"cpu_threads": 1, "cross_batch_size": 1}
    return {name: value for name, value in fields.items() if name in type(options).model_fields}
