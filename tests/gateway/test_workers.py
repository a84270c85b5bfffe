"""What a gateway knows of the live workers, and what it costs the broker to know it."""

from __future__ import annotations

import asyncio

import pytest

from maie.common.v1 import types_pb2 as common
from maie.event.v1 import event_pb2 as event
from maie_core.errors import StageError
from maie_gateway.engine.workers import LiveWorkers
from maie_pipeline.bindings import BINDINGS
from maie_runtime.bus import outages, subjects
from maie_runtime.bus.broker import Broker
from tests.conftest import NatsServer
from tests.gateway.conftest import EmptyMesh
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.mesh


async def say(broker: Broker, name: str, slots: int = 1) -> None:
    """Says what an ASR worker says of itself."""
    info = event.WorkerInfo(stage=common.STAGE_ASR, instance=name, slots=slots)
    await broker.workers.put(f"asr.{name}", info.SerializeToString())


def names(workers: LiveWorkers) -> list[str]:
    return [worker.instance for worker in workers.known_workers()]


async def test_workers_are_known_at_once_and_until_they_leave(broker: Broker) -> None:
    await say(broker, "one", slots=2)
    workers = LiveWorkers(broker)
    assert workers.window() == {}
    async with workers.running():
        assert names(workers) == ["one"]
        assert workers.window()[common.STAGE_ASR] == 2
        await say(broker, "another", slots=3)
        await until(lambda: workers.window()[common.STAGE_ASR] == 5)
        assert names(workers) == ["another", "one"]
        await broker.workers.delete("asr.one")
        await until(lambda: names(workers) == ["another"])
        assert workers.window() == {
            common.STAGE_PREPROCESS: 1,
            common.STAGE_ASR: 3,
            common.STAGE_DIARIZATION: 1,
            common.STAGE_QUALITY: 1,
            common.STAGE_ALIGNMENT: 1,
            common.STAGE_ENHANCEMENT: 1,
            common.STAGE_SUMMARY: 1,
            common.STAGE_SYNTHESIS: 1,
        }


@pytest.mark.slow
async def test_a_silent_worker_is_forgotten_and_one_that_speaks_is_not(broker: Broker) -> None:
    await say(broker, "silent")
    workers = LiveWorkers(broker)
    async with workers.running(silence=2.0):
        await say(broker, "alive")
        await until(lambda: names(workers) == ["alive", "silent"])
        async with asyncio.timeout(PATIENCE_SECONDS):
            while "silent" in names(workers):
                await say(broker, "alive")
                await asyncio.sleep(0.1)
        assert names(workers) == ["alive"]


async def test_what_was_known_outlives_an_absence_of_the_broker(
    nats_server: NatsServer, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outages, "RIDE_OUT_SECONDS", 0.5)
    await say(broker, "one", slots=2)
    workers = LiveWorkers(broker)
    async with workers.running(silence=3.0):
        await nats_server.stop(kill=True)
        await until(lambda: not broker.connected)
        await asyncio.sleep(3.5)
        assert workers.window()[common.STAGE_ASR] == 2
        with pytest.raises(StageError, match="broker does not answer"):
            await workers.workers()
        await nats_server.start()
        await until(lambda: broker.connected)
        await say(broker, "two", slots=4)
        await until(lambda: names(workers) == ["one", "two"])


async def test_to_ask_for_the_mesh_often_leaves_nothing_in_the_broker(
    empty_mesh: EmptyMesh, broker: Broker
) -> None:
    async def consumers() -> int:
        told = await broker.jetstream.stream_info(f"KV_{subjects.WORKERS}")
        return told.state.consumer_count

    async with empty_mesh.running() as client:
        before = await consumers()
        for _ in range(20):
            mesh = await client.get_mesh()
            models = await client.list_models()
        # The empty stages share a model, and each has it.
        assert {each.stage for each in models} == {each.stage for each in BINDINGS.values()}
        assert [len(stage.workers) for stage in mesh.stages] == [1] * len(BINDINGS)
        for stage in mesh.stages:
            lanes = [(each.lane, each.runnable_units) for each in stage.demand]
            assert lanes == [("interactive", 0), ("batch", 0)]
        assert await consumers() == before == 1
