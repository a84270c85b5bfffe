"""A service's turns on a GPU that it shares."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import structlog

from maie_runtime.background import CANCEL_AGAIN_SECONDS
from maie_runtime.errors import Code, StageError
from maie_runtime.loadable import Loadable
from maie_runtime.memory import ModelMemory
from maie_runtime.reasons import Reason
from maie_runtime.residency_lease import GpuLease, Hold
from maie_runtime.settings import GpuServiceSettings
from maie_runtime.stage import Stage

log = structlog.get_logger()

# Between two units of a service that has more of them; a turn does not end for it.
IDLE_SECONDS = 0.5
LOOK_SECONDS = 0.25


@dataclass(kw_only=True, slots=True, eq=False)
class _User:
    """A unit or a call at work.

    Attributes:
        task: What runs it.
        stopped: Whether it was stopped, for the GPU is another's.
    """

    task: asyncio.Task[Any]
    stopped: bool = False

    def stop(self) -> None:
        if not self.stopped:
            self.stopped = True
            self.task.cancel()


class SharedGpu:
    """Loads the model when it is this service's turn and wanted; unloads it before the turn ends.

    A turn begins when there is work and the GPU is free. It ends when others wait and there
    is no more work or `turn_seconds` are over, and when nobody worked for as long. Work in
    hand is finished before, unless the GPU was lost: then it is stopped.

    Args:
        lease: Access to the GPU.
        settings: How long a turn, a load and a stop may take.
        abandon: Ends the process; what holds memory and does not let go leaves no other way.

    Attributes:
        memory: What comes of the model in memory.
    """

    def __init__(
        self, lease: GpuLease, settings: GpuServiceSettings, abandon: Callable[[], None]
    ) -> None:
        self._lease = lease
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
        self._hold: Hold | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def admits(self) -> bool:
        """Whether it is this service's turn and work may begin."""
        held = self._admits and self._hold is not None and self._hold.valid
        return held or not self._needed

    def start(self) -> None:
        """Takes turns from now on."""
        self._serving = asyncio.create_task(self._take_turns())

    def listen(self, listener: Callable[[], None]) -> None:
        """Calls `listener` at the beginning of each turn."""
        self._listeners.append(listener)

    def manage(self, stage: Stage[Any, Any]) -> None:
        """Takes over the stage's model, which is loaded; called within `use`.

        A stage without a model waits for no more turns.

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
            log.info("gpu.not_needed", gpu=self._lease.gpu)
            self._needed = False
            return
        self._model = stage.weights
        self._loading = asyncio.get_running_loop().create_future()
        self._loading.set_result(None)

    async def close(self) -> None:
        """Stops what still works, unloads and takes no more turns."""
        self._closing = True
        self._notify()
        if self._serving is not None:
            while self._hold is None and not self._serving.done():
                # Said again where it was missed; see `background.end`.
                self._serving.cancel()
                await asyncio.wait({self._serving}, timeout=CANCEL_AGAIN_SECONDS)
            await asyncio.wait({self._serving})

    @asynccontextmanager
    async def use(self) -> AsyncIterator[None]:
        """Around work: waits for a turn, and has the model loaded.

        Raises:
            StageError: UNAVAILABLE with GPU_LOST; what loading raises.
        """
        if not self._needed:
            yield
            return
        user = await self._begin()
        try:
            await self._loaded()
            yield
            if user.stopped:
                # Lets the cancellation come that is on its way.
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
        # Whoever is cancelled leaves the loading to the others, and to the turn's end.
        await asyncio.shield(self._loading)

    async def _load(self, model: Loadable) -> None:
        try:
            await self._move(self.memory.loading, model.load)
        except Exception as error:
            # Nobody else is to try on what is left of this turn.
            self._admits = False
            self._notify()
            log.exception("gpu.not_loaded", gpu=self._lease.gpu)
            raise _not_loaded(error) from error

    async def _move(
        self,
        moving: Callable[..., AbstractAsyncContextManager[None]],
        move: Callable[[], Awaitable[None]],
    ) -> None:
        """Loads or unloads; ends the process where that hangs."""
        token = self._hold.token if self._hold else 0
        limit = asyncio.timeout(self._settings.stall_seconds)
        try:
            async with moving(gpu=self._lease.gpu, token=token), limit:
                await move()
        except TimeoutError:
            if limit.expired():
                self._give_up("The model hangs while it is loaded or unloaded.")
            raise

    async def _take_turns(self) -> None:
        while True:
            await self._until(lambda: self._waiting or self._closing)
            if self._closing:
                return
            self._hold = await self._lease.acquire()
            try:
                await self._take_turn(self._hold)
            except Exception:
                log.exception("gpu.turn_failed", gpu=self._lease.gpu)
                self._give_up("The model may still be loaded.")
            await self._hold.release()
            self._hold = None

    async def _take_turn(self, hold: Hold) -> None:
        log.info("gpu.turn_began", gpu=self._lease.gpu, token=hold.token)
        losing = asyncio.create_task(hold.lost.wait())
        losing.add_done_callback(lambda _: self._notify())
        try:
            await self._admit(hold)
            await self._until_unused(hold)
            await self._unload()
        finally:
            losing.cancel()
        log.info("gpu.turn_ended", gpu=self._lease.gpu, token=hold.token)

    async def _admit(self, hold: Hold) -> None:
        """Lets work begin until the turn is over."""
        began = self._worked = time.monotonic()
        self._admits = True
        self._notify()
        for listener in self._listeners:
            listener()
        while self._admits and self._needed and not self._closing and not hold.lost.is_set():
            if await self._is_over(hold, began):
                break
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._changed.wait()
        self._admits = False

    async def _is_over(self, hold: Hold, began: float) -> bool:
        now, long = time.monotonic(), self._settings.turn_seconds
        idle = 0.0 if self._users or self._waiting else now - self._worked
        if idle >= long:
            return True
        return (idle >= IDLE_SECONDS or now - began >= long) and await hold.others_wait()

    async def _until_unused(self, hold: Hold) -> None:
        """Waits for the work in hand; stops it where the GPU is lost or the service ends."""
        await self._until(lambda: not self._users or self._closing or hold.lost.is_set())
        for user in self._users:
            user.stop()
        try:
            async with asyncio.timeout(self._settings.cancel_grace_seconds):
                await self._until(lambda: not self._users)
        except TimeoutError:
            self._give_up("Work goes on although the GPU is another's.")

    async def _unload(self) -> None:
        """Unloads whatever became of the work and of the loading."""
        if self._model is None or self._loading is None:
            return
        await asyncio.gather(self._loading, return_exceptions=True)
        self._loading = None
        try:
            await self._move(self.memory.unloading, self._model.unload)
        except Exception:
            log.exception("gpu.not_unloaded", gpu=self._lease.gpu)
            self._give_up("The model cannot be unloaded.")

    def _give_up(self, why: str) -> None:
        """Only the end of the process frees the memory now; others wait for the lease's end."""
        log.critical("gpu.kept", gpu=self._lease.gpu, error=why)
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
        "The worker fell silent and its GPU went to another service; try again.",
    )


def _not_loaded(error: Exception) -> StageError:
    """Whatever it is, it is no fault of the unit: the next turn or worker may do better."""
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
