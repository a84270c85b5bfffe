"""Encryption is turned off again: what is encrypted stays so, and what is new is not."""

from __future__ import annotations

import pytest

from maie_client import Client
from maie_core.errors import StageError
from maie_runtime.bus.broker import Broker
from tests.gateway.conftest import EmptyMesh
from tests.gateway.test_residue import NAMES, options
from tests.gateway.vault.conftest import recording, wrapped_key

pytestmark = pytest.mark.mesh


async def refused(mesh: EmptyMesh) -> StageError:
    """Why a gateway does not start."""
    with pytest.raises(StageError) as raised:
        async with mesh.gateway():
            pass
    return raised.value


async def test_new_jobs_are_stored_as_they_are_and_old_ones_stay_readable(
    mesh: EmptyMesh, bystander: Broker
) -> None:
    async with mesh.running() as client:
        before = await client.create_job(recording(), **options("one "))
        assert [each async for each in client.watch_job(before.job_id)]
    mesh.gateway_options["encrypt_new_jobs"] = False
    async with mesh.running() as client:
        after = await client.create_job(recording(), **options("two "))
        # A repeated submit finds the job of its id, whichever it is.
        for tag, made in (("one ", before), ("two ", after)):
            again = await client.create_job(recording(), **options(tag))
            assert again.job_id == made.job_id
        assert [each async for each in client.watch_job(after.job_id)]
        for tag, made in (("one ", before), ("two ", after)):
            found = await client.get_job(made.job_id)
            assert found.labels["case"] == f"{tag}{NAMES[1]}"
            assert "chunk 0" in found.results.raw_transcript
        assert await wrapped_key(bystander, before.job_id)
        assert not await wrapped_key(bystander, after.job_id)
        # What changes of an encrypted job is encrypted.
        await client.update_job(before.job_id, display_name="Zanzibar hearing, the second")
        assert b"Zanzibar" not in ((await bystander.jobs.get(before.job_id)).value or b"")


async def test_the_master_key_may_go_with_the_last_encrypted_job(mesh: EmptyMesh) -> None:
    async with mesh.gateway() as address, Client(address) as client:
        made = await client.create_job(recording(), **options())
    key = mesh.gateway_options.pop("master_key")
    mesh.gateway_options["encrypt_new_jobs"] = False
    error = await refused(mesh)
    assert error.reason == "DATA_KEY_NOT_CONFIGURED"
    assert "are encrypted (1)" in error.message
    mesh.gateway_options["master_key"] = key
    async with mesh.gateway() as address, Client(address) as client:
        await client.delete_job(made.job_id)
    # By accident, no gateway of an encrypting mesh starts without the key.
    del mesh.gateway_options["master_key"], mesh.gateway_options["encrypt_new_jobs"]
    error = await refused(mesh)
    assert error.reason == "DATA_KEY_NOT_CONFIGURED"
    assert "MAIE_GATEWAY_ENCRYPT_NEW_JOBS=false" in error.message
    mesh.gateway_options["encrypt_new_jobs"] = False
    async with mesh.gateway() as address, Client(address) as client:
        await client.create_job(recording(), **options())
