"""Profiles of voices in a backup: with their consent and key, and without those deleted before."""

from __future__ import annotations

from pathlib import Path

import pytest

from maie_client import Client
from maie_runtime.vault.key_file import new_line
from tests.gateway.backup.places import Places, only_files
from tests.gateway.vault.conftest import written
from tests.people import AGREED, allow_voices, job_of, person, speaking

pytestmark = pytest.mark.mesh


@only_files
async def test_profiles_are_restored_and_find_people_and_deleted_ones_stay_deleted(
    places: Places, tmp_path: Path
) -> None:
    key = written(tmp_path / "master.key", new_line())
    for mesh in (places.mesh, places.other):
        mesh.gateway_options["master_key"] = key
        mesh.stages["diarization"].answer = speaking(person("anna"), person("ben"))
    async with places.mesh.running() as client:
        await allow_voices(client)
        old = await job_of(client)
        anna = await client.voices.enroll(old, "S1", "Anna", AGREED)
        ben = await client.voices.enroll(old, "S2", "Ben", AGREED)
        await client.voices.rename(ben.voice_id, "Ben B", 1)
        before = await client.voices.get(anna.voice_id)
        sure = await _scores(client, old)
        await client.voices.delete(ben.voice_id)
        assert (await places.backup()).code == 0
    held = [path.read_bytes() for path in places.folder.rglob("*") if path.is_file()]
    for content in held:
        assert person("anna") not in content
        assert not any(word in content for word in (b"Anna", b"Ben B", b"agreed"))

    assert (await places.restore()).code == 0
    async with places.other.running() as client:
        assert [each.voice_id for each in (await client.voices.list()).voices] == [anna.voice_id]
        # With the consent, which is of who agreed to what and when.
        assert await client.voices.get(anna.voice_id) == before
        assert before.enrollments[0].consent == AGREED
        for job_id in (old, await job_of(client)):
            assert await _scores(client, job_id) == {
                speaker: {name: score for name, score in of.items() if name == "Anna"}
                for speaker, of in sure.items()
            }
        # Both go on as in any mesh.
        renamed = await client.voices.rename(anna.voice_id, "Anna B", before.voice.revision)
        await client.voices.enroll(old, "S2", "Ben", AGREED)
        await client.voices.delete(renamed.voice_id)
        assert [each.display_name for each in (await client.voices.list()).voices] == ["Ben"]


async def _scores(client: Client, job_id: str) -> dict[str, dict[str, float]]:
    """The scores of all candidates of each speaker, by their names."""
    found = await client.voices.find(job_id)
    return {
        speaker.speaker: {each.display_name: each.score for each in speaker.candidates}
        for speaker in found.speakers
    }
