"""A service's use of a shared GPU."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import structlog

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_core.settings import GpuServiceSettings
from maie_runtime.background import CANCEL_AGAIN_SECONDS
from maie_runtime.gpu.lease import GpuLease, GpuLock
from maie_runtime.gpu.loadable import Loadable
from maie_runtime.gpu.memory import ModelMemory
from maie_runtime.worker.stage import Stage

log = structlog.get_logger()

# The pause between two units of a busy service; a shorter idle time does not end its lease.
IDLE_SECONDS = 0.5
LOOK_SECONDS = 0.25


@dataclass(kw_only=True, slots=True, eq=False)
class _User:
    """A running unit or call.

    Attributes:
        task: Its asyncio task.
        stopped: Whether it was stopped because the lease is lost.
    """

    task: asyncio.Task[Any]
    stopped: bool = False

    def stop(self) -> None:
        if not self.stopped:
            self.stopped = True
            self.task.cancel()


class SharedGpu:
    """Loads the model on demand while this service has the lease; unloads it before the lease ends.

    The service acquires a lease when it has work. It releases the lease when others wait and it
    has no more work or `lease_seconds` are over, and after being idle for as long. Running work is
    finished before that, unless the lease is lost: then it is stopped.

    Args:
        lock: Access to the GPU.
        settings: The longest lease, load and stop.
        abandon: Ends the process, if its GPU memory cannot be freed otherwise.

    Attributes:
        memory: Logs loads and unloads of the model.
    """

    def __init__(
        self, lock: GpuLock, settings: GpuServiceSettings, abandon: Callable[[], None]
    ) -> None:
        self._lock = lock
        self._settings = settings
        self._abandon = abandon
        self.memory = ModelMemory()
        self._model: Loadable | None = None
        self._loading: asyncio.Future[None] | None = None
        self._users: set[_User] = set()
        self._waiting = 0
        self._worked = 0.0
        self._admits = False
        self._closing = False
        self._needed = True
        self._listeners: list[Callable[[], None]] = []
        self._changed = asyncio.Event()
        self._lease: GpuLease | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def admits(self) -> bool:
        """Whether this service has the lease and work may begin."""
        has_lease = self._admits and self._lease is not None and self._lease.valid
        return has_lease or not self._needed

    def start(self) -> None:
        """Starts acquiring leases on demand."""
        self._serving = asyncio.create_task(self._serve())

    def listen(self, listener: Callable[[], None]) -> None:
        """Calls `listener` at the start of each lease."""
        self._listeners.append(listener)

    def manage(self, stage: Stage[Any, Any]) -> None:
        """Takes over the stage's loaded model; called within `use`.

        A stage without a model needs no leases.

        Raises:
            StageError: FAILED_PRECONDITION with GPU_NOT_SHAREABLE.
        """
        if stage.weights is None:
            if any(model.vram_bytes for model in stage.models()):
                raise StageError(
                    Code.FAILED_PRECONDITION,
                    Reason.GPU_NOT_SHAREABLE,
                    "The engine cannot unload its model, so it cannot share a GPU; "
                    "set the service's RESIDENCY to resident.",
                )
            log.info("gpu.not_needed", gpu=self._lock.gpu)
            self._needed = False
            return
        self._model = stage.weights
        self._loading = asyncio.get_running_loop().create_future()
        self._loading.set_result(None)

    async def close(self) -> None:
        """Stops running work, unloads the model and releases the lease."""
        self._closing = True
        self._notify()
        if self._serving is not None:
            while self._lease is None and not self._serving.done():
                # Repeated in case it was swallowed; see `background.end`.
                self._serving.cancel()
                await asyncio.wait({self._serving}, timeout=CANCEL_AGAIN_SECONDS)
            await asyncio.wait({self._serving})

    @asynccontextmanager
    async def use(self) -> AsyncIterator[None]:
        """Waits for a lease and loads the model, for the work in the context.

        Raises:
            StageError: UNAVAILABLE with GPU_LOST; others from loading the model.
        """
        if not self._needed:
            yield
            return
        user = await self._begin()
        try:
            await self._loaded()
            yield
            if user.stopped:
                # Lets the pending cancellation arrive.
                await asyncio.sleep(0)
        except (asyncio.CancelledError, GeneratorExit):
            if not user.stopped:
                raise
            user.task.uncancel()
            raise _gpu_lost() from None
        finally:
            self._users.discard(user)
            self._worked = time.monotonic()
            self._notify()

    async def _begin(self) -> _User:
        task = asyncio.current_task()
        assert task is not None
        self._waiting += 1
        self._notify()
        try:
            await self._until(lambda: self.admits or self._closing)
        finally:
            self._waiting -= 1
        if self._closing:
            raise _draining()
        user = _User(task=task)
        self._users.add(user)
        return user

    async def _loaded(self) -> None:
        if self._model is None:
            return
        if self._loading is None:
            self._loading = asyncio.create_task(self._load(self._model))
        # Loading continues after a cancellation, for the other users and the end of the lease.
        await asyncio.shield(self._loading)

    async def _load(self, model: Loadable) -> None:
        try:
            await self._move(self.memory.loading, model.load)
        except Exception as error:
            # No further attempts during this lease.
            self._admits = False
            self._notify()
            log.exception("gpu.not_loaded", gpu=self._lock.gpu)
            raise _not_loaded(error) from error

    async def _move(
        self,
        moving: Callable[..., AbstractAsyncContextManager[None]],
        move: Callable[[], Awaitable[None]],
    ) -> None:
        """Loads or unloads; ends the process if that hangs."""
        token = self._lease.token if self._lease else 0
        limit = asyncio.timeout(self._settings.stall_seconds)
        try:
            async with moving(gpu=self._lock.gpu, token=token), limit:
                await move()
        except TimeoutError:
            if limit.expired():
                self._give_up("The model hangs while it is loaded or unloaded.")
            raise

    async def _serve(self) -> None:
        while True:
            await self._until(lambda: self._waiting or self._closing)
            if self._closing:
                return
            self._lease = await self._lock.acquire()
            try:
                await self._use_lease(self._lease)
            except Exception:
                log.exception("gpu.turn_failed", gpu=self._lock.gpu)
                self._give_up("The model may still be loaded.")
            await self._lease.release()
            self._lease = None

    async def _use_lease(self, lease: GpuLease) -> None:
        log.info("gpu.lease_began", gpu=self._lock.gpu, token=lease.token)
        losing = asyncio.create_task(lease.lost.wait())
        losing.add_done_callback(lambda _: self._notify())
        try:
            await self._admit(lease)
            await self._until_unused(lease)
            await self._unload()
        finally:
            losing.cancel()
        log.info("gpu.lease_ended", gpu=self._lock.gpu, token=lease.token)

    async def _admit(self, lease: GpuLease) -> None:
        """Admits work until the lease should end."""
        began = self._worked = time.monotonic()
        self._admits = True
        self._notify()
        for listener in self._listeners:
            listener()
        while self._admits and self._needed and not self._closing and not lease.lost.is_set():
            if await self._is_over(lease, began):
                break
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._changed.wait()
        self._admits = False

    async def _is_over(self, lease: GpuLease, began: float) -> bool:
        now, long = time.monotonic(), self._settings.lease_seconds
        idle = 0.0 if self._users or self._waiting else now - self._worked
        if idle >= long:
            return True
        return (idle >= IDLE_SECONDS or now - began >= long) and await lease.others_wait()

    async def _until_unused(self, lease: GpuLease) -> None:
        """Waits for running work; stops it if the lease is lost or the service ends."""
        await self._until(lambda: not self._users or self._closing or lease.lost.is_set())
        for user in self._users:
            user.stop()
        try:
            async with asyncio.timeout(self._settings.cancel_grace_seconds):
                await self._until(lambda: not self._users)
        except TimeoutError:
            self._give_up("Work continues although another service has the GPU.")

    async def _unload(self) -> None:
        """Unloads the model, even after a failed load."""
        if self._model is None or self._loading is None:
            return
        await asyncio.gather(self._loading, return_exceptions=True)
        self._loading = None
        try:
            await self._move(self.memory.unloading, self._model.unload)
        except Exception:
            log.exception("gpu.not_unloaded", gpu=self._lock.gpu)
            self._give_up("The model cannot be unloaded.")

    def _give_up(self, why: str) -> None:
        """Ends the process, to free the memory; others wait until the lease expires."""
        log.critical("gpu.kept", gpu=self._lock.gpu, error=why)
        self._abandon()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _until(self, condition: Callable[[], object]) -> None:
        while not condition():
            await self._changed.wait()


def _gpu_lost() -> StageError:
    return StageError(
        Code.UNAVAILABLE,
        Reason.GPU_LOST,
        "The worker lost its lease of the GPU to another service; try again.",
    )


def _not_loaded(error: Exception) -> StageError:
    """The error after a failed load; not the unit's fault, so another attempt may succeed."""
    if isinstance(error, StageError):
        return StageError(Code.UNAVAILABLE, error.reason, error.message)
    return StageError(
        Code.UNAVAILABLE,
        Reason.MODEL_NOT_LOADED,
        "The worker could not load its model into the GPU; its log has the details.",
    )


def _draining() -> StageError:
    return StageError(
        Code.UNAVAILABLE, Reason.WORKER_STOPS, "The worker stops; try again with another one."
    )
