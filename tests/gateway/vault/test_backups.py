"""What a copy of a mesh's data from before a deletion can do, with and without its keys."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from maie_client import Client, ClientError
from maie_core.errors import StageError
from maie_gateway.vault.master_key import open_master_key
from maie_gateway.vault.ring import open_ring
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.provision import open_provisioned_broker
from maie_runtime.vault.data_key import KEY_BYTES
from maie_runtime.vault.key_file import new_line
from tests.conftest import NatsServer, free_port
from tests.gateway.conftest import EmptyMesh
from tests.gateway.test_residue import NAMES, files_with, options
from tests.gateway.vault.conftest import EVERYTHING, holds, recording, wrapped_key, written

pytestmark = pytest.mark.mesh

KEYS = subjects.bucket_stream(subjects.DATA_KEYS)


@dataclass(kw_only=True)
class Copies:
    """Two copies of a mesh's data, and what is in it.

    Attributes:
        before: Before a job was deleted.
        after: After that.
        deleted: The job.
        kept: Another one.
        wrapped: The deleted job's key as it was stored.
        secrets: The ring and the deleted job's key in the clear, which are stored nowhere.
    """

    before: Path
    after: Path
    deleted: str
    kept: str
    wrapped: bytes
    secrets: list[bytes]


@pytest.fixture
async def copies(mesh: EmptyMesh, tmp_path: Path) -> Copies:
    async with mesh.running() as client:
        made = []
        for tag in ("one ", "two "):
            each = await client.create_job(recording(), **options(tag))
            assert [event async for event in client.watch_job(each.job_id)]
            made.append(each.job_id)
        async with open_provisioned_broker(mesh.nats.url, "test") as broker:
            wrapped = await wrapped_key(broker, made[0])
            secrets = await all_secrets(broker, mesh.gateway_options["master_key"], made[0])
    await copy(mesh, tmp_path, tmp_path / "before")
    async with mesh.gateway() as address, Client(address) as client:
        await client.delete_job(made[0])
    await copy(mesh, tmp_path, tmp_path / "after")
    return Copies(
        before=tmp_path / "before",
        after=tmp_path / "after",
        deleted=made[0],
        kept=made[1],
        wrapped=wrapped,
        secrets=secrets,
    )


async def all_secrets(broker: Broker, master_key: str, job_id: str) -> list[bytes]:
    """The secrets in the clear, as somebody with the master key gets them."""
    async with open_master_key(master_key) as master:
        ring = await master.unwrap((await broker.data_keys.get("ring.1")).value or b"")
        keys = await open_ring(broker, master)
    secret = keys.unwrap(job_id, await wrapped_key(broker, job_id)).secret
    assert len(ring) == len(secret) == KEY_BYTES
    return [ring, secret]


async def copy(mesh: EmptyMesh, folder: Path, target: Path) -> None:
    """Copies all that a mesh stores; the broker stops for it."""
    await mesh.nats.stop()
    shutil.copytree(mesh.nats.store, target / "jetstream")
    shutil.copytree(folder / "blobs", target / "blobs")
    await mesh.nats.start()


@asynccontextmanager
async def restored(mesh: EmptyMesh, copied: Path, master_key: str) -> AsyncIterator[Client]:
    """A mesh over a copy."""
    nats = NatsServer(port=free_port(), store=copied / "jetstream")
    await nats.start()
    settings = mesh.mesh.model_copy(
        update={"nats_url": nats.url, "blob_url": f"file://{copied / 'blobs'}"}
    )
    again = EmptyMesh(nats=nats, mesh=settings, gateway_options={**mesh.gateway_options})
    again.gateway_options["master_key"] = master_key
    try:
        async with again.gateway() as address, Client(address) as client:
            yield client
    finally:
        await nats.stop()


def stream_folder(copied: Path) -> Path:
    """Where a copy has the data keys."""
    (found,) = copied.rglob(KEYS)
    return found


async def is_gone(client: Client, job_id: str) -> bool:
    with pytest.raises(ClientError) as refused:
        await client.get_job(job_id)
    return refused.value.reason == "JOB_NOT_FOUND"


async def test_without_the_master_key_a_copy_holds_nothing_to_read(
    mesh: EmptyMesh, copies: Copies, tmp_path: Path
) -> None:
    for copied in (copies.before, copies.after):
        assert files_with([copied], EVERYTHING) == {}
        assert not any(holds(copied, secret) for secret in copies.secrets)
        for setting, reason in (
            ("", "DATA_KEY_NOT_CONFIGURED"),
            (written(tmp_path / "another.key", new_line()), "MASTER_KEY_INVALID"),
            ((tmp_path / "lost.key").as_uri(), "MASTER_KEY_INVALID"),
        ):
            with pytest.raises(StageError) as refused:
                async with restored(mesh, copied, setting):
                    pass
            assert refused.value.reason == reason


async def test_with_the_master_key_a_copy_from_before_gives_the_deleted_job(
    mesh: EmptyMesh, copies: Copies, tmp_path: Path
) -> None:
    assert holds(copies.before, copies.wrapped)
    async with restored(mesh, copies.before, mesh.gateway_options["master_key"]) as client:
        found = await client.get_job(copies.deleted)
        assert found.labels["case"] == f"one {NAMES[1]}"
        await client.save_audio(copies.deleted, tmp_path / "saved")
        assert (tmp_path / "saved").read_bytes() == b"RECORDINGBYTES"


async def test_without_the_data_keys_of_then_it_does_not_give_it(
    mesh: EmptyMesh, copies: Copies
) -> None:
    # The master key is there, and the data keys are those of after the deletion.
    assert not holds(copies.after, copies.wrapped)
    shutil.rmtree(stream_folder(copies.before))
    shutil.copytree(
        stream_folder(copies.after),
        copies.before / stream_folder(copies.after).relative_to(copies.after),
    )
    assert not holds(copies.before, copies.wrapped)
    async with restored(mesh, copies.before, mesh.gateway_options["master_key"]) as client:
        found = await client.get_job(copies.kept)
        assert found.labels["case"] == f"two {NAMES[1]}"
        assert await is_gone(client, copies.deleted)
