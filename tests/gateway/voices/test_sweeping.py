"""What the sweeper removes of profiles, and what it keeps."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from maie.access.v1 import access_pb2 as access
from maie.voice.v1 import stored_pb2 as stored
from maie_client import Client
from maie_gateway.vault.data_keys import STREAM as KEYS
from maie_gateway.voices.entries import STREAM, VoiceEntries
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.stored_subjects import stored_subjects
from maie_runtime.vault.key_file import new_line
from tests.gateway.conftest import EmptyMesh
from tests.gateway.test_residue import files_with
from tests.gateway.test_retention import SECOND_OF_HOUR, keep, until
from tests.gateway.vault.conftest import written
from tests.people import AGREED, allow_voices, job_of, person, speaking

pytestmark = pytest.mark.mesh


async def left_by_a_gateway_that_died(broker: Broker, tenant: str, voice_id: str) -> None:
    """Stores what is there of a profile in the middle of its deletion."""
    gone = stored.StoredVoice(voice_id=voice_id).SerializeToString()
    place = subjects.bucket_subject(subjects.VOICES, subjects.voice(tenant, voice_id))
    await broker.jetstream.publish(place, gone)


async def test_what_is_left_of_a_deleted_profile_is_erased_and_others_stay(
    empty_mesh: EmptyMesh, broker: Broker, tmp_path: Path
) -> None:
    """Each with its data key, however old it is, and without the job that it was made of."""
    keep(empty_mesh, uploads_hours=0.5 * SECOND_OF_HOUR)
    empty_mesh.gateway_options["master_key"] = written(tmp_path / "master.key", new_line())
    empty_mesh.stages["diarization"].answer = speaking(person("anna"), person("ben"))
    entries = VoiceEntries(broker)
    async with empty_mesh.running() as client:
        await allow_voices(client)
        first, second = await job_of(client), await job_of(client)
        kept = await client.voices.enroll(first, "S1", "Anna", AGREED)
        left = [
            await client.voices.enroll(first, speaker, name, AGREED)
            for speaker, name in (("S1", "Carl"), ("S2", "Ben"))
        ]
        keys = {head.voice_id: head.key_id for _, head in await entries.heads()}
        await client.delete_job(first)
        for each in left:
            await left_by_a_gateway_that_died(broker, "default", each.voice_id)

        async def erased() -> bool:
            known = await stored_subjects(broker.client, KEYS)
            gone = [keys[each.voice_id] for each in left]
            return await entries.ids("default") == {kept.voice_id} and not any(
                subject.endswith(key) for subject in known for key in gone
            )

        await until(erased)
        assert not files_with(
            [*empty_mesh.nats.store.rglob(STREAM), *empty_mesh.nats.store.rglob(KEYS)],
            [each.voice_id for each in left],
        )
        assert [each.voice_id for each in (await client.voices.list()).voices] == [kept.voice_id]
        (found, _) = (await client.voices.find(second)).speakers
        assert [each.display_name for each in found.candidates if each.is_likely] == ["Anna"]
        assert await _swept(client) == {each.voice_id for each in left}


async def _swept(client: Client) -> set[str]:
    """The profiles of which the audit log says that the mesh erased what was left."""
    wanted = access.ListAuditEntriesRequest(tenant="default")
    return {
        entry.voice_id
        async for entry in client.audit.entries(wanted)
        if entry.action.endswith("/EraseLeftVoice")
    }


async def test_a_profile_that_is_deleted_during_a_sweep_is_nothing_that_is_left(
    empty_mesh: EmptyMesh, broker: Broker
) -> None:
    keep(empty_mesh)
    empty_mesh.stages["diarization"].answer = speaking(person("anna"))
    entries = VoiceEntries(broker)
    async with empty_mesh.running() as client:
        await allow_voices(client)
        job_id = await job_of(client)
        made = [await client.voices.enroll(job_id, "S1", f"A{n}", AGREED) for n in range(20)]

        async def delete() -> None:
            for each in made:
                await client.voices.delete(each.voice_id)

        deleting = asyncio.create_task(delete())
        while not deleting.done():
            assert {head.voice_id for _, head in await entries.heads()} <= {
                each.voice_id for each in made
            }
        await deleting
        assert await entries.heads() == []
