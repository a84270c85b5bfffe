"""`maie jobs watch` over several jobs, at a real gateway with empty stages."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from maie_client import Client
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_core.settings import MeshSettings
from maie_pipeline.bindings import BINDINGS
from maie_runtime.bus.broker import Broker
from maie_runtime.worker.stage import StageContext
from tests.conftest import NatsServer, free_port
from tests.empty_stages import empty_stages
from tests.gateway.conftest import EmptyMesh

pytestmark = pytest.mark.mesh

MAIE = Path(sys.executable).with_name("maie")
NO_JOB = "01234567-89ab-7def-8123-456789abcdef"


class Gate:
    """Lets ASR units go on when the test says so; some jobs' fail."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.broken: set[str] = set()

    async def __call__(self, context: StageContext) -> None:
        await self.open.wait()
        if context.job_id in self.broken:
            raise StageError(Code.INVALID_ARGUMENT, Reason.UNREADABLE, "This cannot be read.")


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
async def mesh(nats_server: NatsServer, broker: Broker, tmp_path: Path, gate: Gate) -> EmptyMesh:
    """A mesh whose broker is provisioned, so that its services need not wait for a gateway."""
    settings = MeshSettings(
        nats_url=nats_server.url, blob_url=f"file://{tmp_path}/blobs", shutdown_grace_seconds=1
    )
    made = EmptyMesh(nats=nats_server, mesh=settings, stages=empty_stages(chunks=2))
    made.stages["asr"].hook = gate
    made.gateway_options = {"listen": f"127.0.0.1:{free_port()}"}
    return made


async def recording() -> AsyncIterator[bytes]:
    yield b"not empty"


async def submit(client: Client, name: str) -> str:
    made = await client.create_job(
        recording(), template_id="meeting_notes_v1", display_name=name, labels={"team": "search"}
    )
    return made.job_id


async def start(
    client: Client, *arguments: str, stdout: int = asyncio.subprocess.PIPE
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(str(MAIE), "jobs", "watch", *arguments),
        stdout=stdout,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "MAIE_GATEWAY": client.address},
    )


async def ended(process: asyncio.subprocess.Process) -> tuple[int | None, list[str], str]:
    output, errors = await process.communicate()
    return process.returncode, (output or b"").decode().splitlines(), errors.decode()


async def test_in_a_pipe_each_change_is_a_line_and_a_failed_job_counts(
    mesh: EmptyMesh, gate: Gate
) -> None:
    async with mesh.running() as client:
        ids = [await submit(client, name) for name in ("first", "second")]
        gate.broken.add(ids[1])
        watching = await start(client, *ids, ids[0])
        assert watching.stdout is not None
        seen = {(await watching.stdout.readline()).decode().split()[0] for _ in ids}
        assert seen == set(ids)
        gate.open.set()
        code, lines, errors = await ended(watching)
    assert code == 2  # the recording's fault
    assert lines.count(f"{ids[0]} first: COMPLETE") == 1
    assert lines.count(f"{ids[1]} second: FAILED") == 1
    assert f"{ids[1]} second: asr.0000: This cannot be read." in lines
    assert errors == f"error: {ids[1]}: This cannot be read.\n"


async def test_json_is_a_line_for_each_job_with_its_results(mesh: EmptyMesh, gate: Gate) -> None:
    gate.open.set()
    async with mesh.running() as client:
        ids = [await submit(client, name) for name in ("first", "second")]
        code, lines, errors = await ended(await start(client, *ids, "--json"))
    assert code == 0
    jobs = {value["job_id"]: value for value in map(json.loads, lines)}
    assert jobs.keys() == set(ids)
    assert all(value["results"]["summary"] for value in jobs.values())
    assert f"{ids[0]} first: COMPLETE" in errors


async def test_without_ids_all_that_run_are_followed_and_those_that_come(
    mesh: EmptyMesh, gate: Gate
) -> None:
    async with mesh.running() as client:
        _, lines, errors = await ended(await start(client))
        assert (lines, errors) == ([], "no job is running\n")
        first = await submit(client, "first")
        watching = await start(client)
        assert watching.stdout is not None
        assert first in (await watching.stdout.readline()).decode()
        second = await submit(client, "second")
        while second not in (line := (await watching.stdout.readline()).decode()):
            assert line, "the command ended without the second job"
        gate.open.set()
        code, lines, _ = await ended(watching)
    assert code == 0
    assert {f"{first} first: COMPLETE", f"{second} second: COMPLETE"} <= set(lines)


async def test_a_restart_of_the_gateway_costs_nothing(mesh: EmptyMesh, gate: Gate) -> None:
    async with AsyncExitStack() as services:
        for slug in BINDINGS:
            await services.enter_async_context(mesh.service(slug))
        async with mesh.gateway() as address, Client(address) as client:
            ids = [await submit(client, name) for name in ("first", "second")]
            watching = await start(client, *ids)
            assert watching.stdout is not None
            await watching.stdout.readline()
        await asyncio.sleep(0.5)
        async with mesh.gateway():
            gate.open.set()
            code, lines, _ = await ended(watching)
    assert code == 0
    for number, name in enumerate(("first", "second")):
        assert lines.count(f"{ids[number]} {name}: COMPLETE") == 1


async def test_a_job_that_is_deleted_meanwhile_is_said_to_be(mesh: EmptyMesh, gate: Gate) -> None:
    async with mesh.running() as client:
        ids = [await submit(client, name) for name in ("first", "second")]
        watching = await start(client, *ids)
        assert watching.stdout is not None
        await watching.stdout.readline()
        await client.delete_job(ids[1])
        gate.open.set()
        _, lines, errors = await ended(watching)
    assert f"{ids[0]} first: COMPLETE" in lines, errors
    assert {f"{ids[1]} second: CANCELLED", f"{ids[1]} second: deleted"} & set(lines)


async def test_a_job_that_is_not_there_is_named_before_any_is_followed(mesh: EmptyMesh) -> None:
    async with mesh.running() as client:
        there = await submit(client, "first")
        for wrong in (NO_JOB, "nonsense"):
            code, lines, errors = await ended(await start(client, there, wrong))
            assert (code, lines) == (2, [])
            assert wrong in errors
            assert errors.count("\n") == 1


async def test_on_a_terminal_there_is_a_table(mesh: EmptyMesh, gate: Gate) -> None:
    gate.open.set()
    controller, terminal = pty.openpty()
    os.set_blocking(controller, False)
    async with mesh.running() as client:
        ids = [await submit(client, name) for name in ("first", "second")]
        watching = await start(client, *ids, stdout=terminal)
        os.close(terminal)
        drawn = await screen_output(controller, watching)
    os.close(controller)
    assert watching.returncode == 0
    last = drawn.rpartition("state")[2]
    assert all(job_id in last for job_id in ids)
    assert "2 COMPLETE" in last


async def screen_output(controller: int, process: asyncio.subprocess.Process) -> str:
    """All that a command writes to its terminal."""
    waiting = asyncio.create_task(process.communicate())
    output = b""
    while True:
        over = waiting.done()
        try:
            output += os.read(controller, 65536)
        except BlockingIOError:
            await asyncio.sleep(0.05)
        except OSError:  # the far side is closed, and all is read
            over = True
        if over:
            await waiting
            return output.decode()
