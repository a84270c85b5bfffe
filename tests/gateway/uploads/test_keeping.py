"""How long resumable uploads are kept, and how."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from maie.job.v1 import job_pb2 as job
from maie.upload.v1 import record_pb2 as record
from maie_client import Client, ClientError
from maie_gateway.settings import RetentionSettings
from maie_gateway.uploads.store import UploadStore
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.stored_subjects import stored_subjects
from tests.gateway.conftest import EmptyMesh
from tests.gateway.uploads.conftest import AUDIO, RAW, audio_of, pieces, stored_files
from tests.gateway.vault.conftest import holds
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.mesh

WORDS = "Zanzibar hearing"


@pytest.fixture
async def sweeping(empty_mesh: EmptyMesh) -> AsyncIterator[Client]:
    """A client of a gateway that sweeps all the time."""
    empty_mesh.gateway_options["retention"] = RetentionSettings(sweep_seconds=0.1)
    async with empty_mesh.gateway() as address, Client(address) as client:
        yield client


async def age(broker: Broker, upload_id: str, hours: float) -> None:
    """Has an upload expire so many hours earlier."""
    store = UploadStore(broker)
    stored = await store.get("default", upload_id)
    state = record.UploadState()
    state.CopyFrom(stored.state)
    state.expire_time.seconds -= round(hours * 3600)
    await store.replace(stored, state)


async def test_an_upload_expires_and_is_removed_later(
    sweeping: Client, empty_mesh: EmptyMesh, broker: Broker
) -> None:
    begun = await sweeping.uploads.begin(RAW)
    await sweeping.uploads.append(begun.upload_id, 0, pieces(AUDIO))
    now = await sweeping.uploads.get(begun.upload_id)
    assert now.expire_time.seconds >= begun.expire_time.seconds
    assert 23 < (now.expire_time.seconds - now.create_time.seconds) / 3600 < 25
    await age(broker, begun.upload_id, 24.5)
    for asking in (
        sweeping.uploads.get(begun.upload_id),
        sweeping.uploads.append(begun.upload_id, len(AUDIO), pieces(b"x")),
        sweeping.uploads.finish(begun.upload_id),
    ):
        with pytest.raises(ClientError) as expired:
            await asking
        assert expired.value.reason == "UPLOAD_EXPIRED"
    assert stored_files(empty_mesh, "parts")
    await age(broker, begun.upload_id, 2)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await stored_subjects(broker.client, "KV_maie_uploads"):
            await asyncio.sleep(0.05)
    assert not stored_files(empty_mesh, "parts")
    with pytest.raises(ClientError) as gone:
        await sweeping.uploads.get(begun.upload_id)
    assert gone.value.reason == "UPLOAD_NOT_FOUND"


async def test_the_job_of_an_upload_outlives_its_record(sweeping: Client, broker: Broker) -> None:
    begun = await sweeping.uploads.begin(RAW)
    await sweeping.uploads.append(begun.upload_id, 0, pieces(AUDIO))
    await sweeping.uploads.finish(begun.upload_id)
    await age(broker, begun.upload_id, 26)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await stored_subjects(broker.client, "KV_maie_uploads"):
            await asyncio.sleep(0.05)
    assert await audio_of(sweeping, begun.upload_id) == AUDIO


async def test_a_deleted_upload_leaves_no_word_on_the_disk(
    gateway: Client, empty_mesh: EmptyMesh
) -> None:
    config = job.JobConfig(features=RAW.features, display_name=WORDS)
    begun = await gateway.uploads.begin(config, client_metadata=WORDS)
    assert holds(empty_mesh.nats.store, WORDS.encode())
    await gateway.uploads.delete(begun.upload_id)
    assert not holds(empty_mesh.nats.store, WORDS.encode())
    begun = await gateway.uploads.begin(config, client_metadata=WORDS)
    await gateway.uploads.append(begun.upload_id, 0, pieces(b"sound"))
    made = await gateway.uploads.finish(begun.upload_id)
    await gateway.delete_job(made.job_id)
    assert not holds(empty_mesh.nats.store, WORDS.encode())
