"""Starts and ends vLLM's engine. Imports vllm, which takes many seconds."""

from __future__ import annotations

import asyncio
import multiprocessing
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog
from vllm.engine.arg_utils import AsyncEngineArgs
from vllm.platforms import current_platform
from vllm.v1.engine.async_llm import AsyncLLM

from maie_core.errors import Code, StageError
from maie_core.models import model_corrupt
from maie_core.reasons import Reason
from maie_llm.checkpoint import Checkpoint, model_files
from maie_llm.settings import VllmSettings
from maie_llm.vllm.arguments import engine_arguments
from maie_llm.vllm.batches import BatchCounts
from maie_llm.vllm.errors import engine_died, model_unavailable, start_failed, words_of

log = structlog.get_logger()

# The interval of checks for a dead engine between requests.
WATCH_SECONDS = 0.2
# The engine's process has nothing to save, and its cleanup is slow: it is killed after this.
STOP_SECONDS = 1.0
# A killed process still has to free many gigabytes.
GONE_SECONDS = 60.0
CORE_PROCESS = "EngineCore"


class VllmEngine:
    """The engine of one model; can be unloaded and loaded again (`maie_runtime.gpu.loadable`).

    Args:
        checkpoint: The verified model.
        settings: The engine's settings.
        cause: The file where its process records why it ended.

    Attributes:
        counts: Counts its batches.
    """

    def __init__(self, checkpoint: Checkpoint, settings: VllmSettings, cause: Path) -> None:
        self._checkpoint = checkpoint
        self._settings = settings
        self._cause = cause
        self.counts = BatchCounts()
        self._engine: AsyncLLM | None = None
        self._asleep = False
        self._died = asyncio.Event()
        self._verified = _state(checkpoint.path)

    @property
    def device(self) -> str:
        """Where the model runs, such as "cpu" or "cuda:0"."""
        if current_platform.is_cpu():
            return "cpu"
        first = range(self._settings.tensor_parallel_size)
        indices = self._settings.device_index or first
        return ",".join(f"{current_platform.device_type}:{index}" for index in indices)

    @property
    def vram_bytes(self) -> int:
        """The GPU memory of vLLM's weights and cache; 0 on a CPU."""
        if current_platform.is_cpu():
            return 0
        total = current_platform.get_device_total_memory()
        share = self._settings.gpu_memory_utilization * self._settings.tensor_parallel_size
        return int(total * share)

    @property
    def running(self) -> AsyncLLM:
        """The engine, ready for requests.

        Raises:
            StageError: UNAVAILABLE with MODEL_UNAVAILABLE if it is not loaded or has died.
        """
        if self._engine is None or self._asleep:
            raise model_unavailable("is not in memory")
        if self._engine.errored:
            raise self.death()
        return self._engine

    def death(self) -> StageError:
        """The error for requests after the engine's death; also wakes `watch`."""
        self._died.set()
        return engine_died(self._read_cause())

    async def watch(self) -> None:
        """Waits until the engine dies.

        Raises:
            StageError: It died.
        """
        while self._engine is None or not self._engine.errored:
            with suppress(TimeoutError):
                async with asyncio.timeout(WATCH_SECONDS):
                    await self._died.wait()
        raise self.death()

    async def load(self) -> None:
        """Loads the model, unless it is loaded.

        Raises:
            StageError: RESOURCE_EXHAUSTED with OUT_OF_MEMORY; FAILED_PRECONDITION
                with DEVICE_UNAVAILABLE or MODEL_CORRUPT if it cannot be loaded.
        """
        if self._engine is None:
            self._engine = await self._start()
            log.info("vllm.loaded", model=self._checkpoint.name, device=self.device)
        elif self._asleep:
            await self._engine.wake_up()
            self._asleep = False

    async def unload(self) -> None:
        """Frees the model's memory, unless it is unloaded.

        With `sleep_mode`, the weights stay in main memory, and loading takes a second or two.
        """
        if self._engine is None or self._asleep:
            return
        if self._settings.sleep_mode and not current_platform.is_cpu():
            await self._engine.sleep(level=1)
            self._asleep = True
        else:
            await self.close()

    async def close(self) -> None:
        """Ends the engine and its processes."""
        engine, self._engine = self._engine, None
        self._asleep = False
        if engine is not None:
            # Otherwise the shutdown would be logged as a failure.
            if engine.output_handler is not None:
                engine.output_handler.cancel()
            await asyncio.to_thread(_stop, engine)

    async def _start(self) -> AsyncLLM:
        if _state(self._checkpoint.path) != self._verified:
            raise model_corrupt(
                f"The language model in {self._checkpoint.path} was changed after the service had "
                "verified it; start the service again."
            )
        self._check_device()
        self._cause.unlink(missing_ok=True)
        starting = asyncio.create_task(asyncio.to_thread(self._build))
        try:
            engine = await asyncio.shield(starting)
        except asyncio.CancelledError:
            # Cancelled: without its process the thread ends soon.
            _kill_cores()
            with suppress(Exception):
                await asyncio.to_thread(_stop, await starting)
            raise
        # It was built in a thread, so it has no loop for its answers yet.
        engine._run_output_handler()
        return engine

    def _build(self) -> AsyncLLM:
        on_cpu = current_platform.is_cpu()
        arguments = engine_arguments(self._checkpoint, self._settings, on_cpu=on_cpu)
        try:
            return AsyncLLM.from_engine_args(
                AsyncEngineArgs(**arguments), stat_loggers=[self.counts.logger]
            )
        # An invalid checkpoint or setting can raise anything from vLLM.
        except Exception as error:
            cause = self._read_cause() or words_of(error)
            raise start_failed(self._checkpoint.path, cause) from error

    def _check_device(self) -> None:
        if not current_platform.device_type:
            raise StageError(
                Code.FAILED_PRECONDITION,
                Reason.DEVICE_UNAVAILABLE,
                "There is no GPU here that the installed vLLM could use; give the service one, or "
                "use another engine.",
            )
        wanted = self._settings.device
        if wanted != "auto" and wanted != current_platform.device_type:
            raise StageError(
                Code.FAILED_PRECONDITION,
                Reason.DEVICE_UNAVAILABLE,
                f"The installed vLLM runs on {current_platform.device_type}, "
                f"not on {wanted}; install the other one, or correct the setting DEVICE.",
            )

    def _read_cause(self) -> str:
        try:
            return self._cause.read_text(encoding="utf-8")
        except OSError:
            return ""


def _stop(engine: AsyncLLM) -> None:
    """Ends an engine; its memory is free only after its processes have ended."""
    cores = _cores()
    engine.shutdown(timeout=STOP_SECONDS)
    for core in cores:
        core.join(GONE_SECONDS)
        if core.is_alive():
            raise RuntimeError(f"vLLM's process {core.pid} does not end")


def _cores() -> list[multiprocessing.process.BaseProcess]:
    running = multiprocessing.active_children()
    return [process for process in running if process.name.startswith(CORE_PROCESS)]


def _kill_cores() -> None:
    for core in _cores():
        core.kill()


def _state(path: Path) -> dict[str, Any]:
    """Detects a changed file without reading it: hashing takes longer than loading."""
    states = {file.name: file.stat() for file in model_files(path)}
    return {
        name: (state.st_ino, state.st_size, state.st_mtime_ns) for name, state in states.items()
    }
