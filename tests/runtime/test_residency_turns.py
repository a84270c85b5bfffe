"""Services that share a GPU take turns: load, work, unload, always, before the next one loads."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, suppress

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from maie.event.v1.event_pb2 import ModelInfo
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_core.settings import GpuServiceSettings
from maie_runtime.background import end
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.gpu.lease import GpuLease, GpuLock
from maie_runtime.gpu.residency import Resident
from maie_runtime.gpu.sharing import IDLE_SECONDS, SharedGpu
from tests.conftest import NatsServer
from tests.empty_stages import EmptyStage, empty_stages
from tests.runtime.gpus import GPU, TTL, another_broker, forget_soon
from tests.runtime.models import Memory, NotedModel, modelled, shared, working
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.mesh


@pytest_asyncio.fixture(autouse=True)
async def _forgetful(broker: Broker) -> None:
    await forget_soon(broker)


@pytest.fixture
async def other_broker(broker: Broker, nats_server: NatsServer) -> AsyncIterator[Broker]:
    async with another_broker(nats_server) as opened:
        yield opened


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def first(memory: Memory) -> NotedModel:
    return NotedModel(name="first", memory=memory)


@pytest.fixture
def second(memory: Memory) -> NotedModel:
    return NotedModel(name="second", memory=memory)


async def work(residency: SharedGpu, model: NotedModel, seconds: float) -> None:
    async with residency.use():
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert model.memory.inside == {model.name}
            await asyncio.sleep(0.01)


def loads(memory: Memory, model: NotedModel) -> int:
    return memory.history.count(f"{model.name} loaded")


async def unloaded(memory: Memory) -> None:
    await until(lambda: not memory.inside)


async def test_resident_models_wait_for_nobody() -> None:
    residency = Resident()
    assert residency.admits
    async with residency.use():
        pass
    await residency.close()


@pytest.mark.slow
async def test_two_services_with_much_work_take_turns(
    broker: Broker, other_broker: Broker, memory: Memory, first: NotedModel, second: NotedModel
) -> None:
    async with (
        shared(broker, first) as one,
        shared(other_broker, second) as two,
        asyncio.TaskGroup() as group,
    ):
        memory.history.clear()
        began = time.monotonic()

        async def units(residency: SharedGpu, model: NotedModel) -> None:
            for _ in range(30):
                await work(residency, model, 0.05)

        for _ in range(2):
            group.create_task(units(one, first))
            group.create_task(units(two, second))
    assert not memory.inside
    told = [f"{model.name} {what}" for model in (first, second) for what in ("loaded", "unloaded")]
    assert set(memory.history) <= set(told)
    # 60 units each of 0.05 s, two at a time: more than a turn, which is half a second.
    turns = [loads(memory, model) for model in (first, second)]
    assert min(turns) >= 2
    assert sum(turns) <= (time.monotonic() - began) / 0.5 + 2


async def test_a_model_stays_while_nobody_else_waits(
    broker: Broker, memory: Memory, first: NotedModel
) -> None:
    async with shared(broker, first, lease_seconds=2) as one:
        for _ in range(4):
            began = time.monotonic()
            await work(one, first, 0.1)
            await asyncio.sleep(IDLE_SECONDS)
        assert loads(memory, first) == 1
        # Without work it goes all the same, after as long as a turn.
        await unloaded(memory)
        assert time.monotonic() - began >= 0.1 + 2


async def test_a_service_without_work_hands_on_at_once(
    broker: Broker, other_broker: Broker, first: NotedModel, second: NotedModel
) -> None:
    async with (
        shared(broker, first, lease_seconds=600) as one,
        shared(other_broker, second, lease_seconds=600) as two,
    ):
        await work(one, first, 0.1)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await work(two, second, 0.1)


@pytest.mark.slow
async def test_work_in_hand_is_finished_before_the_turn_ends(
    broker: Broker, other_broker: Broker, memory: Memory, first: NotedModel, second: NotedModel
) -> None:
    async with (
        shared(broker, first, lease_seconds=0.1) as one,
        shared(other_broker, second) as two,
    ):
        long = asyncio.create_task(work(one, first, 2 * TTL))
        await until(lambda: first.name in memory.inside)
        waiting = asyncio.create_task(work(two, second, 0.1))
        await until(lambda: not one.admits)
        late = asyncio.create_task(work(one, first, 0.1))
        await asyncio.wait({waiting})
        assert long.done()
        assert not late.done()
        await asyncio.gather(long, waiting, late)


@pytest.mark.parametrize("how", ["fails", "is cancelled"])
async def test_the_model_goes_whatever_becomes_of_the_work(
    broker: Broker, memory: Memory, first: NotedModel, how: str
) -> None:
    async def fail(residency: SharedGpu) -> None:
        async with residency.use():
            if how == "fails":
                raise RuntimeError("no window")
            await asyncio.Event().wait()

    async with shared(broker, first) as one:
        failing = asyncio.create_task(fail(one))
        await asyncio.sleep(0.1)
        failing.cancel()
        await asyncio.wait({failing})
        assert failing.cancelled() or isinstance(failing.exception(), RuntimeError)
        await unloaded(memory)
        await work(one, first, 0.05)


async def test_a_service_that_ends_unloads(
    broker: Broker, other_broker: Broker, memory: Memory, first: NotedModel, second: NotedModel
) -> None:
    async with shared(other_broker, second) as two:
        async with shared(broker, first, lease_seconds=60) as one:
            await work(one, first, 0.1)
        assert memory.inside == set()
        with pytest.raises(StageError, match="stops"):
            await work(one, first, 0.1)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await work(two, second, 0.1)


async def test_a_service_that_ends_while_it_waits_leaves_the_line(
    broker: Broker, other_broker: Broker, first: NotedModel, second: NotedModel
) -> None:
    async with shared(broker, first) as one:
        held = asyncio.create_task(work(one, first, 60))
        starting = asyncio.create_task(_open(other_broker, second))
        async with GpuLock(broker, GPU, "looks") as lease:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not (await lease.look())[1]:
                    await asyncio.sleep(0.02)
            await end(starting)
            assert await lease.look() == (True, set())
        held.cancel()
        await asyncio.wait({held})


async def _open(broker: Broker, model: NotedModel) -> None:
    async with shared(broker, model):
        pass


class DeafOnce(GpuLock):
    """A lease whose wait misses a cancellation, as a wait for the broker may; see `end`."""

    asked = False

    async def acquire(self) -> GpuLease:
        """Waits for ever, until it is cancelled twice."""
        self.asked = True
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()
        raise AssertionError


async def test_a_service_that_ends_while_it_waits_ends_though_a_cancellation_was_missed(
    broker: Broker, first: NotedModel
) -> None:
    settings = GpuServiceSettings(residency="shared-gpu", gpu=GPU)
    lease = DeafOnce(broker, GPU, "deaf")
    one = SharedGpu(lease, settings, lambda: None)
    one.start()
    working = asyncio.create_task(work(one, first, 0.1))
    await until(lambda: lease.asked)
    async with asyncio.timeout(PATIENCE_SECONDS):
        await one.close()
    with pytest.raises(StageError, match="stops"):
        await working


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (RuntimeError("CUDA failed with error out of memory"), "MODEL_NOT_LOADED"),
        (StageError(Code.RESOURCE_EXHAUSTED, Reason.OUT_OF_MEMORY, "No room."), "OUT_OF_MEMORY"),
        (StageError(Code.FAILED_PRECONDITION, Reason.MODEL_CORRUPT, "Changed."), "MODEL_CORRUPT"),
    ],
)
async def test_a_model_that_cannot_be_loaded_fails_the_work_and_the_turn_only(
    broker: Broker, memory: Memory, first: NotedModel, problem: Exception, reason: str
) -> None:
    first.problem = problem
    async with shared(broker, first) as one:
        await unloaded(memory)
        for _ in range(2):
            with capture_logs() as logs, pytest.raises(StageError) as caught:
                await work(one, first, 0.1)
            # For want of memory too, unlike a unit's own: another turn may have room.
            assert (caught.value.code, caught.value.reason) == (Code.UNAVAILABLE, reason)
            assert "gpu.not_loaded" in {line["event"] for line in logs}
        first.problem = None
        await work(one, first, 0.1)


async def test_a_lost_gpu_stops_the_work_and_the_model_goes_first(
    broker: Broker, memory: Memory, first: NotedModel
) -> None:
    async with shared(broker, first) as one:
        task = asyncio.create_task(work(one, first, 60))
        await until(lambda: first.name in memory.inside)
        memory.history.clear()
        await broker.jetstream.purge_stream(subjects.bucket_stream(subjects.GPUS))
        with pytest.raises(StageError) as caught:
            await task
        assert (caught.value.code, caught.value.reason) == (Code.UNAVAILABLE, "GPU_LOST")
        assert caught.value.retryable
        await unloaded(memory)
        await work(one, first, 0.05)
    assert memory.history == ["first unloaded", "first loaded", "first unloaded"]


async def test_a_lost_gpu_stops_who_is_about_to_answer(
    broker: Broker, memory: Memory, first: NotedModel
) -> None:
    """The work is a generator, and its caller is the one that waits when it is stopped."""

    async def call() -> None:
        async with aclosing(working(one, first)) as steps:
            async for _ in steps:
                await asyncio.sleep(60)

    async with shared(broker, first) as one:
        task = asyncio.create_task(call())
        await until(lambda: one._users)
        await broker.jetstream.purge_stream(subjects.bucket_stream(subjects.GPUS))
        with pytest.raises(StageError, match="lost its lease of the GPU"):
            await task
        await unloaded(memory)


@pytest.mark.parametrize("what", ["load", "unload"])
async def test_a_model_that_hangs_ends_the_process(
    broker: Broker, memory: Memory, first: NotedModel, what: str
) -> None:
    given_up: list[bool] = []
    abandon = lambda: given_up.append(True)  # noqa: E731
    async with shared(broker, first, abandon=abandon, stall_seconds=1) as one:
        if what == "load":
            await unloaded(memory)
        first.takes = 60
        with capture_logs() as logs:
            if what == "load":
                with pytest.raises(StageError):
                    await work(one, first, 0.1)
            await until(lambda: given_up)
        assert "gpu.kept" in {line["event"] for line in logs}
        first.takes = 0


async def test_work_that_does_not_stop_ends_the_process(
    broker: Broker, memory: Memory, first: NotedModel
) -> None:
    given_up: list[bool] = []
    going_on = asyncio.Event()

    async def hang() -> None:
        async with one.use():
            while not going_on.is_set():
                try:
                    await going_on.wait()
                except asyncio.CancelledError:
                    continue

    abandon = lambda: given_up.append(True)  # noqa: E731
    async with shared(broker, first, abandon=abandon, cancel_grace_seconds=0.2) as one:
        task = asyncio.create_task(hang())
        await until(lambda: one._users)
        await broker.jetstream.purge_stream(subjects.bucket_stream(subjects.GPUS))
        await until(lambda: given_up)
        assert memory.inside == {"first"}
        going_on.set()
        await asyncio.wait({task})


async def test_memory_is_logged_around_loads(
    broker: Broker, memory: Memory, first: NotedModel
) -> None:
    with capture_logs() as logs:
        async with shared(broker, first) as one:
            await unloaded(memory)
            await work(one, first, 0.05)
    moves = [line for line in logs if line["event"] in ("model.loaded", "model.unloaded")]
    assert [line["event"] for line in moves] == ["model.unloaded", "model.loaded", "model.unloaded"]
    for line in moves:
        assert line["gpu"] == GPU
        assert line["before"]["rss_bytes"] > 0
        assert line["after"]["rss_bytes"] > 0
    assert moves[0]["token"] < moves[1]["token"]


async def test_an_engine_that_cannot_unload_is_refused(broker: Broker) -> None:
    class Fixed(EmptyStage):
        def models(self) -> Sequence[ModelInfo]:
            models = list(super().models())
            models[0].vram_bytes = 1
            return models

    stage = empty_stages()["asr"]
    fixed = Fixed(answer=stage.answer)
    settings = GpuServiceSettings(residency="shared-gpu", gpu=GPU)
    async with GpuLock(broker, GPU, "fixed") as lease:
        one = SharedGpu(lease, settings, lambda: None)
        one.start()
        with pytest.raises(StageError) as caught:
            async with one.use():
                one.manage(fixed)
        assert caught.value.reason == "GPU_NOT_SHAREABLE"
        async with one.use():
            one.manage(modelled(stage, NotedModel(name="x", memory=Memory())))
        await one.close()


async def test_a_service_without_a_model_waits_for_nobody(
    broker: Broker, other_broker: Broker, second: NotedModel
) -> None:
    settings = GpuServiceSettings(residency="shared-gpu", gpu=GPU)
    async with GpuLock(broker, GPU, "empty") as lease, shared(other_broker, second) as two:
        one = SharedGpu(lease, settings, lambda: None)
        one.start()
        async with one.use():
            one.manage(empty_stages()["asr"])
        async with asyncio.timeout(PATIENCE_SECONDS), two.use():
            # The GPU is the other's.
            assert one.admits
            async with one.use():
                pass
        await one.close()


def test_a_shared_gpu_has_a_name() -> None:
    with pytest.raises(ValueError, match="name the GPU that is shared"):
        GpuServiceSettings(residency="shared-gpu")
    for name in ("node-1/0", "gpu1.example.com/0", "MIG-1a2b"):
        assert GpuServiceSettings(residency="shared-gpu", gpu=name).gpu == name
    for name in ("a b", "*", ">", ".a", "a..b"):
        with pytest.raises(ValueError, match="gpu"):
            GpuServiceSettings(residency="shared-gpu", gpu=name)
