"""Attacks from within: weights, records and tasks that somebody else wrote."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from nats.js.errors import NotFoundError

from maie.event.v1 import event_pb2 as event
from maie.job.v1 import job_pb2 as job
from maie_cli.mesh.broker import credentials
from maie_cli.mesh.options import STAGES
from maie_client import Client
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker, open_broker
from maie_runtime.bus.rights import OPERATOR
from tests.attacks.conftest import Besieged, Came, answer, run_job
from tests.attacks.parts import joined, settings
from tests.conftest import free_port
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.mesh

TINY_WHISPER = Path(__file__).parents[1] / "models" / "tiny-whisper"
JOB = "01990000-0000-7000-8000-000000000001"


@pytest.mark.attack(15)
async def test_a_service_with_changed_weights_does_not_start(
    mesh: Besieged, tmp_path: Path, came: Came
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(TINY_WHISPER, folder)
    weights = folder / "model.bin"
    content = bytearray(weights.read_bytes())
    before = hashlib.sha256(content).hexdigest()
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    service = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "maie_asr"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=settings(
            mesh.running.layout,
            "asr",
            MAIE_ASR_LISTEN="127.0.0.1:0",
            MAIE_ASR_ENGINE="whisper",
            MAIE_ASR_WHISPER_MODEL_PATH=os.fspath(folder),
        ),
    )
    output, _ = await asyncio.wait_for(service.communicate(), PATIENCE_SECONDS)
    told = output.decode(errors="replace")
    came(f"ended with {service.returncode}, MODEL_CORRUPT")
    assert service.returncode != 0
    for part in ("model.bin", before, hashlib.sha256(content).hexdigest()):
        assert part in told, told


@asynccontextmanager
async def operating(mesh: Besieged) -> AsyncIterator[Broker]:
    """The broker, for who has an operator's credential."""
    layout = mesh.running.layout
    url = f"nats://{layout.address_file('nats').read_text()}"
    own = credentials(layout, OPERATOR)
    inbox = subjects.inbox(OPERATOR)
    async with open_broker(url, OPERATOR, inbox=inbox, credentials=own) as broker:
        yield broker


@asynccontextmanager
async def garbage_record(broker: Broker) -> AsyncIterator[None]:
    """A record in the bucket of jobs that is none."""
    subject = subjects.bucket_subject(subjects.JOBS, JOB)
    await broker.jetstream.publish(subject, b"\xff\xfe")
    yield
    await broker.jetstream.purge_stream(subjects.bucket_stream(subjects.JOBS), subject=subject)


@pytest.mark.attack(19)
async def test_garbage_of_an_operator_is_dead_lettered(mesh: Besieged, came: Came) -> None:
    reasons = set()
    async with operating(mesh) as broker, garbage_record(broker):
        for stage in STAGES:
            await broker.jetstream.publish(subjects.task(stage, JOB, f"{stage}.0007"), b"\xff\xfe")
        for stage in ("record", *STAGES):
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not (found := await letters(broker, stage)):
                    await asyncio.sleep(0.05)
            reasons.add(found.failure.reason)
    came(f"dead-lettered, {' '.join(sorted(reasons))}")
    assert reasons == {"UNREADABLE"}


@pytest.mark.attack(19)
async def test_a_gateway_starts_beside_garbage(mesh: Besieged, tmp_path: Path, came: Came) -> None:
    address = f"127.0.0.1:{free_port()}"
    variables = {
        "MAIE_GATEWAY_LISTEN": address,
        "MAIE_GATEWAY_LOCAL_USER": "false",
        "MAIE_GATEWAY_READ_MODEL_URL": "sqlite://",
    }
    async with (
        operating(mesh) as broker,
        garbage_record(broker),
        joined(mesh, "gateway", tmp_path / "gateway.log", **variables),
        Client(address, token=mesh.theirs) as client,
    ):
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await answer(client.list_jobs()) != "OK":
                await asyncio.sleep(0.1)
        assert (await run_job(client, mesh.recording)).state == job.JOB_STATE_COMPLETE
    came("a gateway starts beside a garbage record")


@pytest.mark.attack(19)
@pytest.mark.parametrize("name", [subjects.TASKS, subjects.EVENTS])
async def test_a_stream_that_is_deleted_comes_back(mesh: Besieged, name: str, came: Came) -> None:
    async with operating(mesh) as broker, mesh.client(mesh.theirs) as client:
        await broker.jetstream.delete_stream(name)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await is_there(broker, name):
                await asyncio.sleep(0.05)
        assert (await run_job(client, mesh.recording)).state == job.JOB_STATE_COMPLETE
    came("deleted streams come back")


async def is_there(broker: Broker, name: str) -> bool:
    """Whether there is a stream of this name."""
    try:
        await broker.jetstream.stream_info(name)
    except NotFoundError:
        return False
    return True


async def letters(broker: Broker, stage: str) -> event.DeadLetter | None:
    """The last dead letter of that job at a stage; None while there is none."""
    try:
        stored = await broker.jetstream.get_last_msg(
            subjects.DEAD_LETTERS, subjects.dead_letter(stage, JOB)
        )
    except Exception:  # noqa: BLE001 - there is none yet
        return None
    return event.DeadLetter.FromString(stored.data or b"")
