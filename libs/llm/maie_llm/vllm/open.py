"""Opens a model in vLLM."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_llm.checkpoint import open_checkpoint
from maie_llm.model import LanguageModel, Message
from maie_llm.settings import GenerationSettings, VllmSettings
from maie_llm.vllm.environment import prepare_environment
from maie_runtime.worker.watchdog import watchdog

if TYPE_CHECKING:
    from maie_llm.vllm.model import VllmModel


@asynccontextmanager
async def open_vllm(
    settings: VllmSettings, generation: GenerationSettings
) -> AsyncIterator[LanguageModel]:
    """Verifies a model and loads it without blocking the event loop.

    If the model's process dies, the block is cancelled and ends with that error.

    Args:
        settings: The model and how it runs.
        generation: The default sampling parameters.

    Raises:
        StageError: FAILED_PRECONDITION with ENGINE_NOT_INSTALLED, MODEL_MISSING,
            MODEL_CORRUPT, MODEL_UNSAFE, DEVICE_UNAVAILABLE or
            OPTION_NOT_SUPPORTED; RESOURCE_EXHAUSTED with OUT_OF_MEMORY; later,
            UNAVAILABLE with MODEL_UNAVAILABLE if the process has died.
    """
    _require_packages()
    checkpoint = await asyncio.to_thread(open_checkpoint, settings)
    with TemporaryDirectory(prefix="maie-vllm-") as directory:
        cause = Path(directory) / "cause"
        prepare_environment(settings, cause)
        vllm = await asyncio.to_thread(import_module, "maie_llm.vllm.model")
        # vLLM and torch create many permanent objects: garbage collection among them would block
        # the event loop, and take seconds at the end.
        gc.freeze()
        engine = vllm.VllmEngine(checkpoint, settings, cause)
        await engine.load()
        try:
            async with watchdog(engine.watch):
                model: VllmModel = vllm.VllmModel(
                    engine, checkpoint, settings, generation.generation()
                )
                try:
                    # Finds an invalid template before the service takes work.
                    await model.count([Message(role="user", content="")])
                    yield model
                finally:
                    model.close()
        finally:
            await engine.close()


def _require_packages() -> None:
    if find_spec("vllm") is None:
        raise StageError(
            Code.FAILED_PRECONDITION,
            Reason.ENGINE_NOT_INSTALLED,
            "The engine vllm needs the package vllm; install it (see docs/models.md), or use "
            "the engine openai with a server.",
        )
