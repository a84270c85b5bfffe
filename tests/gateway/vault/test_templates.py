"""With a master key, tenants' templates are encrypted, and one that is deleted is gone for good."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from maie_client import Client
from maie_gateway.settings import RetentionSettings
from maie_gateway.templates.entries import TemplateEntries
from maie_gateway.vault.data_keys import STREAM
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.stored_subjects import stored_subjects
from tests.gateway.conftest import EmptyMesh
from tests.gateway.templates.contents import PROMPT, schema
from tests.gateway.test_residue import files_with
from tests.gateway.vault.conftest import holds, wrapped_key
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.mesh

SECRET = "Zanzibar"


async def test_templates_are_encrypted_and_their_keys_stay_as_long_as_they_do(
    mesh: EmptyMesh, disk: list[Path], bystander: Broker
) -> None:
    # Sweeps at once, and takes everything for old.
    mesh.gateway_options["retention"] = RetentionSettings(
        sweep_seconds=0.1, uploads_hours=0.1 / 3600
    )
    left = "01900000-0000-7000-8000-000000000000"
    await bystander.data_keys.put(f"job.{left}", b"of a save that ended half way")
    async with mesh.gateway() as address, Client(address) as client:
        await client.templates.save("standup", 0, schema(SECRET), f"{SECRET}: {PROMPT}")
        assert files_with(disk, [SECRET]) == {}
        key_id = await TemplateEntries(bystander).key_id("default", "standup")
        wrapped = await wrapped_key(bystander, key_id)
        assert holds(mesh.nats.store, wrapped)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while any(left in each for each in await stored_subjects(bystander.client, STREAM)):
                await asyncio.sleep(0.05)
        assert (await client.get_template("standup")).title == SECRET
    # Another gateway has to read the key.
    async with mesh.gateway() as address, Client(address) as client:
        assert (await client.get_template("standup")).prompt.startswith(SECRET)
        await client.templates.delete("standup")
        assert not holds(mesh.nats.store, wrapped)
