"""The key of a removed job leaves the memory of every gateway, and nothing is stored without it."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from maie_client import Client, ClientError
from maie_core.errors import StageError
from maie_gateway.engine.forgotten_keys import ForgottenKeys
from maie_gateway.records.changes import JobChanges
from maie_gateway.records.store import JobStore
from maie_gateway.vault.data_keys import DataKeys
from maie_gateway.vault.opening import open_job_keys
from maie_gateway.vault.settings import VaultSettings
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.provision import open_provisioned_broker
from maie_runtime.vault.data_key import is_sealed
from tests.gateway.conftest import EmptyMesh
from tests.gateway.test_client_names import whole
from tests.gateway.test_residue import NAMES, options
from tests.gateway.vault.conftest import recording, wrapped_key
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.mesh

Side = tuple[Broker, DataKeys]


@pytest.fixture
async def sides(mesh: EmptyMesh) -> AsyncIterator[tuple[Side, Side]]:
    """The brokers and keys of two gateways with the same master key."""
    async with AsyncExitStack() as stack:
        found = []
        for name in ("one", "other"):
            broker = await stack.enter_async_context(open_provisioned_broker(mesh.nats.url, name))
            settings = VaultSettings(master_key=mesh.gateway_options["master_key"])
            opening = open_job_keys(broker, settings)
            keys = await stack.enter_async_context(opening)
            assert isinstance(keys, DataKeys)
            found.append((broker, keys))
        yield found[0], found[1]


async def forgotten(keys: DataKeys, job_id: str) -> None:
    """Waits until a gateway has no key of the job in its memory."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while keys.known(job_id) is not None:
            await asyncio.sleep(0.02)


async def test_another_gateway_forgets_a_key_though_it_is_in_the_bucket_yet(
    sides: tuple[Side, Side], bystander: Broker
) -> None:
    (broker, keys), (other, its_keys) = sides
    made, store = whole(), JobStore(broker)
    async with JobChanges(other, [ForgottenKeys(its_keys)]).follow():
        await keys.make(made.job_id)
        stored = await store.create(made)
        assert (await JobStore(other).get(made.job_id)).record == made
        assert its_keys.known(made.job_id) is not None
        await store.delete(stored)
        await forgotten(its_keys, made.job_id)
        # A late event is read, and the key is not kept for it.
        assert await wrapped_key(bystander, made.job_id)
        assert await its_keys.opening_key(made.job_id)
        assert is_sealed(await other.sealed(made.job_id, b"words"))
        assert its_keys.known(made.job_id) is None
        await keys.destroy(made.job_id)
        # Nothing that comes later is stored in plain text.
        for late in (its_keys.opening_key(made.job_id), other.sealed(made.job_id, b"words")):
            with pytest.raises(StageError) as refused:
                await late
            assert refused.value.reason == "DATA_KEY_GONE"
        # A job of the same request id may have the id again.
        await keys.make(made.job_id)
        await store.create(made)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while its_keys.known(made.job_id) is None:
                await its_keys.opening_key(made.job_id)
                await asyncio.sleep(0.02)


async def test_a_gateway_that_missed_a_removal_forgets_the_key_as_well(
    sides: tuple[Side, Side],
) -> None:
    (broker, keys), (other, its_keys) = sides
    made, store = whole(), JobStore(broker)
    await keys.make(made.job_id)
    stored = await store.create(made)
    assert await its_keys.key(made.job_id) is not None
    await store.delete(stored, marker_seconds=1)
    await keys.destroy(made.job_id)
    await marker_is_gone(other, made.job_id)
    async with JobChanges(other, [ForgottenKeys(its_keys)]).follow():
        assert its_keys.known(made.job_id) is None


async def marker_is_gone(broker: Broker, job_id: str) -> None:
    """Waits until nothing says any more that the job was removed."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while job_id in await JobStore(broker).ids():
            await asyncio.sleep(0.1)


async def test_a_job_goes_through_two_gateways_and_is_in_the_memory_of_none(
    mesh: EmptyMesh, tmp_path: Path
) -> None:
    async with mesh.running() as one, mesh.gateway() as address, Client(address) as other:
        made = await one.create_job(recording(), **options())
        assert [each async for each in other.watch_job(made.job_id)]
        for client in (one, other):
            assert (await client.get_job(made.job_id)).display_name == NAMES[2]
            await client.save_audio(made.job_id, tmp_path / "saved")
        assert sum(known(made.job_id)) == 2
        await other.delete_job(made.job_id)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while any(known(made.job_id)):
                await asyncio.sleep(0.05)
        for client in (one, other):
            with pytest.raises(ClientError) as refused:
                await client.get_job(made.job_id)
            assert refused.value.reason == "JOB_NOT_FOUND"
        assert not any(known(made.job_id))


def known(job_id: str) -> list[bool]:
    """Whether the key of a job is in the memory of each gateway of this process."""
    gateways = [each for each in gc.get_objects() if isinstance(each, DataKeys)]
    return [each.known(job_id) is not None for each in gateways]
