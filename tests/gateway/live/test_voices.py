"""People who shared a track of a live session are enrolled from it, and found in it."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from pathlib import Path

import pytest

from maie.job.v1 import job_pb2 as job
from maie.live.v1 import live_pb2 as live
from maie_client import Client, ClientError
from maie_core.reasons import Reason
from maie_runtime.vault.key_file import new_line
from tests.diarization.live.calling import apart
from tests.gateway.live.conftest import LiveMesh, client_of
from tests.gateway.live.conversation import RAW, config, talking
from tests.gateway.live.test_speakers import finished, known_diarizers, person, shared, speech
from tests.gateway.vault.conftest import holds, written
from tests.people import AGREED, allow_voices

pytestmark = pytest.mark.mesh


async def session(address: str, words: Sequence[int], wanted: live.SessionConfig) -> str:
    """A session on whose track these words are said, which is over; gives its id."""
    async with talking(address) as talk:
        started = await talk.start(wanted)
        await talk.audio("room", speech(*words))
        await talk.end()
    assert (await finished(address, started.session_id)).state == job.JOB_STATE_COMPLETE
    return started.session_id


async def refused(of: Awaitable[object]) -> tuple[str, str]:
    """The reason and the sentence of a refused call."""
    with pytest.raises(ClientError) as error:
        await of
    return error.value.reason, error.value.message


async def scores(client: Client, job_id: str) -> dict[str, dict[str, float]]:
    """How much each speaker sounds like whom."""
    found = await client.voices.find(job_id)
    return {
        each.speaker: {one.display_name: round(one.score, 2) for one in each.candidates}
        for each in found.speakers
    }


async def test_who_is_enrolled_from_one_session_is_found_in_another(live_mesh: LiveMesh) -> None:
    async with (
        live_mesh.diarization(person),
        live_mesh.running() as (address, _),
        client_of(address) as client,
    ):
        await known_diarizers(address, 1)
        await allow_voices(client)
        first = await session(address, (1, 3, 2, 4), shared())
        second = await session(address, (2, 4, 1, 3), shared())
        ann = await client.voices.enroll(first, "S1", "Ann", AGREED)
        assert [each.engine.engine for each in ann.engines] == ["pitch"]
        # No more than what the speaker says: two words of 2.2 s.
        assert 3 < ann.engines[0].clean_duration.ToSeconds() < 5
        assert await scores(client, first) == {"S1": {"Ann": 1}, "S2": {"Ann": 0}}
        assert await scores(client, second) == {"S1": {"Ann": 0}, "S2": {"Ann": 1}}
        reason, sentence = await refused(
            client.voices.enroll(first, "S1", "Ann", AGREED, segment_ids=["t01-u0001"])
        )
        assert reason == Reason.FIELD_INVALID
        assert "name the speaker alone" in sentence
        # The voices are data of the job, and go with it.
        await client.delete_job(second)
        assert (await refused(client.voices.find(second)))[0] == Reason.JOB_NOT_FOUND


async def test_voices_are_there_once_the_session_is_over(live_mesh: LiveMesh) -> None:
    async with (
        live_mesh.diarization(person),
        live_mesh.running() as (address, _),
        client_of(address) as client,
        talking(address) as talk,
    ):
        await known_diarizers(address, 1)
        await allow_voices(client)
        started = await talk.start(shared())
        await talk.send(
            join=live.TrackJoin(track="eve", sequence=talk.number("eve"), several_speakers=False)
        )
        await talk.audio("room", speech(1, 3, 2, 4))
        await talk.audio("eve", speech(6, 8))
        reason, sentence = await refused(client.voices.find(started.session_id))
        assert reason == Reason.VOICES_NOT_READY
        assert "ask again when it is complete" in sentence
        # What is known of them stays when their track ends before the session does.
        await talk.next("speaker_labels", 2)
        await talk.leave("room")
        await talk.end()
        done = await finished(address, started.session_id)
        assert len(done.results.speakers) == 3
        found = (await client.voices.find(started.session_id)).speakers
        # Nobody listened to the voice of who has a track alone.
        (eve,) = {each.speaker for each in done.results.segments if each.track == 1}
        assert {each.speaker for each in found} == {"S1", "S2", "S3"} - {eve}
        for each in found:
            await client.voices.enroll(started.session_id, each.speaker, each.speaker, AGREED)
        reason, sentence = await refused(
            client.voices.enroll(started.session_id, eve, "Eve", AGREED)
        )
        assert reason == Reason.VOICES_MISSING
        assert "its track alone" in sentence


async def test_a_session_without_voices_says_what_to_do(live_mesh: LiveMesh) -> None:
    async with live_mesh.running() as (address, _), client_of(address) as client:
        await allow_voices(client)
        for wanted, sentence in (
            (config(), "its speakers were not asked for"),
            (
                config(features=[RAW, job.FEATURE_SPEAKERS]),
                "let a track have several speakers, or process a recording of it",
            ),
        ):
            made = await session(address, (1, 3), wanted)
            reason, found = await refused(client.voices.find(made))
            assert (reason, sentence in found) == (Reason.VOICES_MISSING, True), found


@pytest.mark.parametrize("encrypted", [True, False])
async def test_voices_are_stored_as_all_content_is_and_shown_to_nobody(
    live_mesh: LiveMesh, tmp_path: Path, *, encrypted: bool
) -> None:
    if encrypted:
        key = written(tmp_path / "master.key", new_line())
        live_mesh.empty.gateway_options["master_key"] = key
    async with (
        live_mesh.diarization(person),
        live_mesh.running() as (address, _),
        client_of(address) as client,
    ):
        await known_diarizers(address, 1)
        await allow_voices(client)
        made = await session(address, (1, 3, 2, 4), shared())
        found = await client.voices.find(made)
        answers = [
            await client.get_job(made),
            found,
            *[each async for each in client.watch_job(made)],
        ]
    for voice in (apart(0).tobytes(), apart(1).tobytes()):
        assert holds(tmp_path / "blobs", voice) is not encrypted
        assert not any(voice in each.SerializeToString() for each in answers)
