"""`maie provision`, as a chart's hook runs it."""

from __future__ import annotations

import asyncio
import os
import sys

import pytest

from maie_runtime.bus import subjects
from maie_runtime.bus.broker import open_broker
from maie_runtime.bus.provision import is_provisioned
from tests.conftest import NatsServer, free_port

pytestmark = pytest.mark.mesh


async def maie_provision(url: str, *arguments: str) -> tuple[int | None, str]:
    """Runs the command; gives its exit code and what it wrote to stderr."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "maie_cli", "provision", *arguments),
        env={**os.environ, "MAIE_NATS_URL": url},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    _, complaint = await process.communicate()
    return process.returncode, complaint.decode()


async def test_it_creates_what_is_missing_and_names_what_differs(nats_server: NatsServer) -> None:
    assert (await maie_provision(nats_server.url))[0] == 0
    async with open_broker(nats_server.url, "test") as broker:
        assert await is_provisioned(broker)
        there = (await broker.jetstream.stream_info(subjects.TASKS)).config
        await broker.jetstream.update_stream(there.evolve(allow_direct=False))
        code, complaint = await maie_provision(nats_server.url)
        assert (code, f"{subjects.TASKS}: allow_direct is False" in complaint) == (1, True)
        assert not await is_provisioned(broker)
        assert (await maie_provision(nats_server.url, "--update"))[0] == 0
        assert await is_provisioned(broker)


async def test_copies_that_one_server_cannot_keep_are_named(nats_server: NatsServer) -> None:
    assert (await maie_provision(nats_server.url, "--replicas", "1"))[0] == 0
    code, complaint = await maie_provision(nats_server.url, "--replicas", "3")
    assert (code, f"{subjects.TASKS}: num_replicas is 1, not 3" in complaint) == (1, True)


async def test_a_broker_that_does_not_answer_is_named_in_time() -> None:
    code, complaint = await maie_provision(f"nats://127.0.0.1:{free_port()}", "--timeout", "0.5")
    assert (code, "MAIE_NATS_URL" in complaint) == (3, True)
