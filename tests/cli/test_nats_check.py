"""`maie nats check` says what a broker lacks: of one server, of three, of three with one down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.provision import open_provisioned_broker
from maie_runtime.bus.rights import MONITOR, OPERATOR, PROVISION
from maie_runtime.bus.streams import STREAMS
from tests.certificates import TestCa
from tests.cli.command import Ended, run
from tests.conftest import NatsServer, free_port
from tests.guarded_nats import GuardedNats
from tests.nats_cluster import NatsCluster, cluster_of, leader_of
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.mesh

ALL = ", ".join(stream.name or "" for stream in STREAMS)


async def check(environment: Mapping[str, str], *arguments: object) -> Ended:
    """Runs the command."""
    variables = {"COLUMNS": "400", **environment}
    return await asyncio.to_thread(run, "nats", "check", *arguments, environment=variables)


def findings(ended: Ended, health: str) -> list[str]:
    """The findings of a health."""
    lines = [line.partition("  ") for line in ended.output.splitlines()]
    return [rest.strip() for state, _, rest in lines if state == health]


def of(found: list[str], what: str) -> str:
    """The one finding about something, without its name."""
    (one,) = [each for each in found if each.startswith(f"{what}: ")]
    return one.removeprefix(f"{what}: ")


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[GuardedNats]:
    """A server with accounts, and nothing else of `maie nats config`."""
    server = GuardedNats(tmp_path)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[NatsCluster]:
    """A cluster of three, configured as by `maie nats config`, with three copies of each stream."""
    made = NatsCluster(tmp_path / "nats", TestCa(folder=tmp_path / "ca"))
    try:
        await made.start()
        async with made.provisioned() as broker:
            await all_current(broker)
        yield made
    finally:
        await made.stop()


async def all_current(broker: Broker) -> None:
    """Waits until each stream has all of its copies."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        for stream in STREAMS:
            while not await _is_current(broker, stream.name or ""):
                await asyncio.sleep(0.1)


async def _is_current(broker: Broker, stream: str) -> bool:
    replicas = (await cluster_of(broker, stream)).replicas or ()
    return len(replicas) == 2 and all(each.current for each in replicas)


def variables(cluster: NatsCluster) -> dict[str, str]:
    """The settings of `maie provision`."""
    mine = cluster.credentials(PROVISION)
    return {
        "MAIE_NATS_URL": cluster.url,
        "MAIE_NATS_NKEY_FILE": str(mine.nkey),
        "MAIE_NATS_CA_FILE": str(mine.ca),
        "MAIE_NATS_CERT_FILE": str(mine.certificate),
        "MAIE_NATS_KEY_FILE": str(mine.key),
    }


async def test_an_open_server_lacks_streams_and_accounts(nats_server: NatsServer) -> None:
    ended = await check({"MAIE_NATS_URL": nats_server.url})
    wrong = findings(ended, "not ok")
    assert ended.code == 1
    assert of(wrong, "streams") == f"missing ({ALL}) → run: maie provision"
    assert "are let in" in of(wrong, "clients without a credential")
    assert "--monitor" in of(findings(ended, "--"), "servers")


async def test_what_differs_is_named_of_each_stream_and_consumer(nats_server: NatsServer) -> None:
    consumer = subjects.worker_consumer("asr", subjects.LANES[0])
    async with open_provisioned_broker(nats_server.url, "test") as broker:
        js = broker.jetstream
        await js.delete_consumer(subjects.TASKS, consumer)
        events = (await js.stream_info(subjects.EVENTS)).config
        await js.update_stream(events.evolve(max_bytes=1_000_000))
        names = (await js.stream_info(subjects.NAMES)).config
        await js.update_stream(names.evolve(allow_direct=True))
    ended = await check({"MAIE_NATS_URL": nats_server.url}, "--replicas", "3")
    assert ended.code == 1
    wrong = findings(ended, "not ok")
    assert f"consumers: missing ({consumer}) → run: maie provision" in wrong
    assert f"streams: 1 copy, not 3 ({ALL}) → run: maie provision --replicas 3" in wrong
    (limit,) = [each for each in wrong if "max_bytes is 1000000" in each]
    assert f"drops what the mesh needs ({subjects.EVENTS}) → set max_bytes to -1" in limit
    (other,) = [each for each in wrong if "allow_direct" in each]
    assert other.endswith(f"({subjects.NAMES}) → run: maie provision --update")


async def test_the_default_of_sync_interval_is_named(guarded: GuardedNats) -> None:
    async with guarded.provisioned():
        pass
    mine = {"MAIE_NATS_URL": guarded.url, "MAIE_NATS_NKEY_FILE": str(guarded.seed(PROVISION))}
    ended = await check(mine, "--monitor", guarded.seed(MONITOR))
    (wrong,) = findings(ended, "not ok")
    assert ended.code == 1
    assert wrong.startswith("sync_interval: 120 s")
    assert "set sync_interval: always" in wrong
    well = findings(ended, "ok")
    assert of(well, "clients without a credential") == "are refused"
    assert of(well, "streams") == f"all {len(STREAMS)}, each in one copy or more"
    assert "GiB free" in of(well, "disk")
    # It answers this machine only.
    assert "none" in of(findings(ended, "--"), "TLS")


async def test_the_seed_of_another_part_is_no_monitor(guarded: GuardedNats) -> None:
    mine = {"MAIE_NATS_URL": guarded.url, "MAIE_NATS_NKEY_FILE": str(guarded.seed(PROVISION))}
    ended = await check(mine, "--monitor", guarded.seed("asr"))
    assert (ended.code, "monitor" in of(findings(ended, "not ok"), "servers")) == (1, True)


async def test_a_server_that_does_not_answer_is_named_in_time() -> None:
    url = f"nats://127.0.0.1:{free_port()}"
    ended = await check({"MAIE_NATS_URL": url}, "--timeout", "0.5")
    assert (ended.code, "MAIE_NATS_URL" in ended.errors) == (3, True)


@pytest.mark.slow
async def test_a_cluster_of_three_is_well_until_a_server_is_down(cluster: NatsCluster) -> None:
    monitor = cluster.credentials(MONITOR).nkey
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:  # a server that has just started may say for a while that it is not ready
            ended = await check(variables(cluster), "--replicas", "3", "--monitor", monitor)
            if not any(each.startswith("health: ") for each in findings(ended, "not ok")):
                break
    assert (ended.code, findings(ended, "not ok")) == (0, [])
    well = findings(ended, "ok")
    assert "3 of 3 answer" in of(well, "servers")
    assert of(well, "sync_interval").startswith("always (nats-")
    assert "certificate" in of(well, "TLS between servers")
    assert "3 current copies" in of(well, "streams")
    async with cluster.connected(OPERATOR) as broker:
        down = await leader_of(broker, subjects.TASKS)
        await cluster.servers[down].stop(kill=True)
        async with asyncio.timeout(PATIENCE_SECONDS):
            for stream in STREAMS:
                while await _is_current(broker, stream.name or ""):
                    await asyncio.sleep(0.1)
    ended = await check(variables(cluster), "--replicas", "3", "--monitor", monitor)
    wrong = findings(ended, "not ok")
    assert ended.code == 1
    assert "2 of 3 answer" in of(wrong, "servers")
    assert f"{down} is " in of(wrong, "servers")
    assert any(f"the copy on {down} is " in each and subjects.TASKS in each for each in wrong)


@pytest.mark.slow
async def test_servers_without_a_majority_are_named(cluster: NatsCluster) -> None:
    monitor = cluster.credentials(MONITOR).nkey
    for name in ("nats-1", "nats-2"):
        await cluster.servers[name].stop(kill=True)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            ended = await check(variables(cluster), "--replicas", "3", "--monitor", monitor)
            wrong = findings(ended, "not ok")
            if "1 of 3 answer, and none leads" in of(wrong, "servers"):
                break
            await asyncio.sleep(0.1)
    assert ended.code == 1
