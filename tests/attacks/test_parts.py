"""Attacks from within: weights, records and tasks that somebody else wrote."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import sys
from pathlib import Path

import pytest

from maie.event.v1 import event_pb2 as event
from maie_cli.mesh.broker import credentials
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker, open_broker
from maie_runtime.bus.rights import OPERATOR
from tests.attacks.conftest import Besieged, Came
from tests.mesh.conftest import environment
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
    layout = mesh.running.layout
    service = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "maie_asr"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=environment()
        | {
            "MAIE_NATS_URL": f"nats://{layout.address_file('nats').read_text()}",
            "MAIE_NATS_NKEY_FILE": os.fspath(layout.nkeys / "asr.nk"),
            "MAIE_BLOB_URL": layout.blobs.as_uri(),
            "MAIE_ASR_LISTEN": "127.0.0.1:0",
            "MAIE_ASR_ENGINE": "whisper",
            "MAIE_ASR_WHISPER_MODEL_PATH": os.fspath(folder),
        },
    )
    output, _ = await asyncio.wait_for(service.communicate(), PATIENCE_SECONDS)
    told = output.decode(errors="replace")
    came(f"ended with {service.returncode}, MODEL_CORRUPT")
    assert service.returncode != 0
    for part in ("model.bin", before, hashlib.sha256(content).hexdigest()):
        assert part in told, told


@pytest.mark.attack(19)
async def test_garbage_of_an_operator_is_dead_lettered(mesh: Besieged, came: Came) -> None:
    layout = mesh.running.layout
    url = f"nats://{layout.address_file('nats').read_text()}"
    async with open_broker(
        url,
        OPERATOR,
        inbox=subjects.inbox(OPERATOR),
        credentials=credentials(layout, OPERATOR),
    ) as broker:
        await broker.jetstream.publish(subjects.bucket_subject(subjects.JOBS, JOB), b"\xff\xfe")
        for stage in ("preprocess", "asr"):
            await broker.jetstream.publish(subjects.task(stage, JOB, f"{stage}.0007"), b"\xff\xfe")
        reasons = set()
        for stage in ("record", "preprocess", "asr"):
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not (found := await letters(broker, stage)):
                    await asyncio.sleep(0.05)
            reasons.add(found.failure.reason)
        await broker.jetstream.purge_stream(
            subjects.bucket_stream(subjects.JOBS),
            subject=subjects.bucket_subject(subjects.JOBS, JOB),
        )
    came(f"dead-lettered, {' '.join(sorted(reasons))}")
    assert reasons == {"UNREADABLE"}


async def letters(broker: Broker, stage: str) -> event.DeadLetter | None:
    """The last dead letter of that job at a stage; None while there is none."""
    try:
        stored = await broker.jetstream.get_last_msg(
            subjects.DEAD_LETTERS, subjects.dead_letter(stage, JOB)
        )
    except Exception:  # noqa: BLE001 - there is none yet
        return None
    return event.DeadLetter.FromString(stored.data or b"")
