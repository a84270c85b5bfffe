"""Voices that are enrolled and found again, over a whole mesh that encrypts what it stores."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from maie.access.v1 import access_pb2 as access
from maie.voice.v1 import voice_pb2 as voice
from maie_client import Client, ClientError
from maie_client.voices import consent
from maie_core.limits import MAX_VOICE_ENROLLMENTS
from maie_core.reasons import Reason
from maie_gateway.voices.entries import VoiceEntries
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.provision import open_provisioned_broker
from maie_runtime.vault.key_file import new_line
from tests.gateway.conftest import EmptyMesh, shared_mesh  # noqa: F401 - a fixture
from tests.gateway.test_residue import files_with
from tests.people import AGREED, LIKELY, allow_voices, job_of, person, speaking

pytestmark = pytest.mark.mesh

ABSENT = "01900000-0000-7000-8000-000000000000"


@dataclass(kw_only=True)
class World:
    """A running mesh.

    Attributes:
        mesh: Its parts.
        admin: A client of its default tenant.
        broker: Its broker.
        folders: All that it stores.
    """

    mesh: EmptyMesh
    admin: Client
    broker: Broker
    folders: list[Path]

    async def tenant(self, name: str, most: int = 50) -> Client:
        """A client of a tenant that may enrol so many voices."""
        await allow_voices(self.admin, name, most)
        return self.admin.acting(tenant=name)

    async def job(self, client: Client, *embeddings: bytes, **options: object) -> str:
        """A job of a tenant in which these speak."""
        answer = speaking(*embeddings, **options)  # type: ignore[arg-type]
        self.mesh.stages["diarization"].answer = answer
        return await job_of(client)


@pytest.fixture(scope="module")
async def world(
    shared_mesh: EmptyMesh,  # noqa: F811
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[World]:
    key = tmp_path_factory.mktemp("keys") / "master.key"
    key.write_text(new_line())
    key.chmod(0o600)
    shared_mesh.gateway_options["master_key"] = key.as_uri()
    blobs = Path(shared_mesh.mesh.blob_url.removeprefix("file://"))
    async with (
        shared_mesh.running() as admin,
        open_provisioned_broker(shared_mesh.nats.url, "test") as broker,
    ):
        yield World(
            mesh=shared_mesh, admin=admin, broker=broker, folders=[shared_mesh.nats.store, blobs]
        )


async def refusal(of: Awaitable[object]) -> tuple[str, str]:
    """The code and the reason of a refused call."""
    with pytest.raises(ClientError) as refused:
        await of
    return refused.value.code.name, refused.value.reason


def names(found: voice.FindVoicesResponse) -> list[list[tuple[str, bool]]]:
    """The candidates of each speaker with whether they are likely."""
    return [
        [(each.display_name, each.is_likely) for each in speaker.candidates]
        for speaker in found.speakers
    ]


async def test_a_person_is_found_again_until_the_profile_is_deleted(world: World) -> None:
    acme, other = await world.tenant("found"), await world.tenant("found-other")
    first = await world.job(acme, person("anna"), person("ben"))
    second = await world.job(acme, person("carl"), person("anna", day=1), b"")
    stranger = await world.job(acme, person("carl"))
    made = await acme.voices.enroll(first, "S1", "Anna", AGREED)
    assert (made.display_name, made.revision) == ("Anna", 1)
    assert [each.engine.engine for each in made.engines] == ["empty"]
    found = await acme.voices.find(second)
    assert [each.speaker for each in found.speakers] == ["S1", "S2", "S3"]
    assert names(found) == [[("Anna", False)], [("Anna", True)], []]
    assert found.likely_score == pytest.approx(LIKELY)
    score = found.speakers[1].candidates[0].score
    assert LIKELY < score < 1
    assert names(await acme.voices.find(stranger)) == [[("Anna", False)]]
    # Nobody is named by that.
    assert {each.name for each in (await acme.get_job(second)).results.speakers} == {""}

    theirs = await world.job(other, person("anna"))
    assert names(await other.voices.find(theirs)) == [[]]
    assert not (await other.voices.list()).voices
    absent = "NOT_FOUND", Reason.VOICE_NOT_FOUND
    for ask in (
        other.voices.get(made.voice_id),
        other.voices.rename(made.voice_id, "Eve", 1),
        other.voices.delete(made.voice_id),
        other.voices.add(made.voice_id, theirs, "S1", AGREED),
        acme.voices.get(ABSENT),
        acme.voices.get("*"),
    ):
        assert await refusal(ask) == absent
    gone = "NOT_FOUND", Reason.JOB_NOT_FOUND
    assert await refusal(other.voices.find(first)) == gone
    assert await refusal(other.voices.enroll(first, "S1", "Anna", AGREED)) == gone

    # The consent is for the voice, and not for a recording.
    await acme.delete_job(first)
    assert names(await acme.voices.find(second))[1] == [("Anna", True)]
    await acme.voices.delete(made.voice_id)
    assert names(await acme.voices.find(second)) == [[], [], []]
    assert await refusal(acme.voices.delete(made.voice_id)) == absent


async def test_a_profile_says_what_it_was_made_of(world: World) -> None:
    acme = await world.tenant("made-of")
    jobs = [await world.job(acme, person("anna", day)) for day in range(2)]
    made = await acme.voices.enroll(jobs[0], "S1", "Anna", AGREED, segment_ids=["c0000-s0001"])
    await world.job(acme, person("ben"))
    later = await world.job(acme, person("anna", 3), space="another:1")
    for job_id in (jobs[1], jobs[1], later):
        made = await acme.voices.add(made.voice_id, job_id, "S1", AGREED)
    # The same again is the same recording.
    assert made.revision == 3
    assert [each.clean_duration.ToSeconds() for each in made.engines] == [10, 5]
    shown = await acme.voices.get(made.voice_id)
    assert shown.voice == made
    assert [each.job_id for each in shown.enrollments] == [*jobs, later]
    first = shown.enrollments[0]
    assert (first.speaker, list(first.segment_ids), first.consent) == (
        "S1",
        ["c0000-s0001"],
        AGREED,
    )
    assert first.enrolled_by == (await acme.get_caller()).caller_id
    newer = consent("Anna agreed again.", datetime(2026, 12, 1, tzinfo=UTC))
    await acme.voices.add(made.voice_id, jobs[0], "S1", newer)
    again = (await acme.voices.get(made.voice_id)).enrollments
    assert [each.job_id for each in again] == [jobs[1], later, jobs[0]]
    assert again[-1].consent == newer


async def test_only_voices_of_one_space_are_compared(world: World) -> None:
    acme = await world.tenant("spaces")
    first = await world.job(acme, person("anna"))
    await acme.voices.enroll(first, "S1", "Anna", AGREED)
    other_engine = await world.job(acme, person("anna"), space="another:1")
    assert names(await acme.voices.find(other_engine)) == [[]]


async def test_names_are_changed_by_compare_and_set(world: World) -> None:
    acme = await world.tenant("renamed")
    first = await world.job(acme, person("anna"), person("ben"))
    made = await acme.voices.enroll(first, "S1", "Zoe", AGREED)
    await acme.voices.enroll(first, "S2", "ben", AGREED)
    renames = [acme.voices.rename(made.voice_id, f"Anna {number}", 1) for number in range(4)]
    outcomes = await asyncio.gather(*renames, return_exceptions=True)
    (renamed,) = [each for each in outcomes if isinstance(each, voice.Voice)]
    assert renamed.revision == 2
    refused = {each.reason for each in outcomes if isinstance(each, ClientError)}
    assert refused == {Reason.VOICE_OUTDATED}
    # Its answer was lost, and it is sent again.
    assert await acme.voices.rename(made.voice_id, renamed.display_name, 1) == renamed
    assert [each.display_name for each in (await acme.voices.list()).voices] == [
        renamed.display_name,
        "ben",
    ]


async def test_a_request_id_makes_one_profile(world: World) -> None:
    acme, other = await world.tenant("asked"), await world.tenant("asked-other")
    first = await world.job(acme, person("anna"), person("ben"))
    theirs = await world.job(other, person("anna"))
    calls = [acme.voices.enroll(first, "S1", "Anna", AGREED, request_id="r") for _ in range(3)]
    made = await asyncio.gather(*calls)
    assert len({each.voice_id for each in made}) == len((await acme.voices.list()).voices) == 1
    reused = acme.voices.enroll(first, "S2", "Ben", AGREED, request_id="r")
    assert await refusal(reused) == ("ALREADY_EXISTS", Reason.REQUEST_ID_REUSED)
    mine = await other.voices.enroll(theirs, "S1", "Anna", AGREED, request_id="r")
    assert mine.voice_id != made[0].voice_id


async def test_it_is_off_until_a_tenant_may(world: World) -> None:
    off = world.admin.acting(tenant="off")
    first = await world.job(off, person("anna"), person("ben"))
    enrolling = off.voices.enroll(first, "S1", "Anna", AGREED)
    refused = "FAILED_PRECONDITION", Reason.VOICES_OFF
    assert await refusal(enrolling) == await refusal(off.voices.find(first)) == refused
    await world.tenant("off", 1)
    made = await off.voices.enroll(first, "S1", "Anna", AGREED)
    full = "FAILED_PRECONDITION", Reason.VOICES_FULL
    assert await refusal(off.voices.enroll(first, "S2", "Ben", AGREED)) == full
    # Off again: what is there is shown, and can be deleted.
    await world.tenant("off", 0)
    for ask in (
        off.voices.find(first),
        off.voices.rename(made.voice_id, "Eve", 1),
        off.voices.add(made.voice_id, first, "S2", AGREED),
    ):
        assert await refusal(ask) == refused
    assert [each.voice_id for each in (await off.voices.list()).voices] == [made.voice_id]
    await off.voices.delete(made.voice_id)
    assert not (await off.voices.list()).voices


async def test_what_cannot_be_enrolled_is_refused_with_its_reason(world: World) -> None:
    acme = await world.tenant("refused")
    short = await world.job(acme, person("anna"), b"", clean=2.9)
    too_short = "FAILED_PRECONDITION", Reason.VOICE_TOO_SHORT
    for speaker in ("S1", "S2"):
        assert await refusal(acme.voices.enroll(short, speaker, "Anna", AGREED)) == too_short
    assert names(await acme.voices.find(short)) == [[], []]
    earlier = await world.job(acme, person("anna"), space="")
    missing = "FAILED_PRECONDITION", Reason.VOICES_MISSING
    assert await refusal(acme.voices.enroll(earlier, "S1", "Anna", AGREED)) == missing
    assert await refusal(acme.voices.find(earlier)) == missing
    first = await world.job(acme, person("anna"), person("ben"))
    invalid = "INVALID_ARGUMENT", Reason.FIELD_INVALID
    now = datetime.now(UTC)
    for ask in (
        acme.voices.enroll(first, "S3", "Anna", AGREED),
        acme.voices.enroll(first, "Anna", "Anna", AGREED),
        acme.voices.enroll(first, "S1", " ", AGREED),
        acme.voices.enroll(first, "S1", "An\u202ena", AGREED),
        acme.voices.enroll(first, "S1", "A" * 101, AGREED),
        acme.voices.enroll(first, "S1", "Anna", AGREED, segment_ids=["c0000-s0002"]),
        acme.voices.enroll(first, "S1", "Anna", AGREED, segment_ids=["none"]),
        acme.voices.enroll(first, "S1", "Anna", AGREED, segment_ids=["c0000-s0001"] * 101),
        acme.voices.enroll(first, "S1", "Anna", AGREED, request_id="r" * 129),
        acme.voices.enroll(first, "S1", "Anna", consent("x" * 1001, now)),
        acme.voices.enroll(first, "S1", "Anna", consent("Anna will.", now + timedelta(hours=1))),
    ):
        assert await refusal(ask) == invalid
    nothing = "INVALID_ARGUMENT", Reason.CONSENT_MISSING
    for agreed in (voice.Consent(), consent(" ", now), voice.Consent(statement="Anna agreed.")):
        assert await refusal(acme.voices.enroll(first, "S1", "Anna", agreed)) == nothing
    assert not (await acme.voices.list()).voices


async def test_a_profile_has_so_many_recordings(world: World) -> None:
    acme = await world.tenant("many")
    many = await world.job(acme, *(person("anna", day) for day in range(MAX_VOICE_ENROLLMENTS + 1)))
    made = await acme.voices.enroll(many, "S1", "Anna", AGREED)
    for number in range(2, MAX_VOICE_ENROLLMENTS + 1):
        await acme.voices.add(made.voice_id, many, f"S{number}", AGREED)
    last = acme.voices.add(made.voice_id, many, f"S{MAX_VOICE_ENROLLMENTS + 1}", AGREED)
    assert await refusal(last) == ("FAILED_PRECONDITION", Reason.VOICES_FULL)


async def test_no_embedding_is_shown_or_stored_in_the_clear(world: World) -> None:
    """Not by any call about the job or the voice, and in no file of the mesh."""
    acme = await world.tenant("shown")
    sound = person("xanthippe")
    first = await world.job(acme, sound)
    made = await acme.voices.enroll(
        first,
        "S1",
        "Xanthippe",
        consent("Quizzical agreement.", datetime(2026, 11, 30, tzinfo=UTC)),
    )
    shared = await acme.shares.create(first)
    events = [each async for each in acme.watch_job(first)]
    async with Client(acme.address, token=shared.token) as reader:
        answers = [
            await acme.get_job(first),
            await reader.get_job(first),
            *events,
            await acme.voices.find(first),
            *(await acme.voices.list()).voices,
            await acme.voices.get(made.voice_id),
            made,
        ]
    for answer in answers:
        assert sound not in answer.SerializeToString()
        assert base64.b64encode(sound).decode() not in str(answer)
    held = [path for folder in world.folders for path in folder.rglob("*") if path.is_file()]
    assert not [path for path in held if sound in path.read_bytes()]
    assert not files_with(world.folders, ["Xanthippe", "Quizzical"])


async def test_a_deleted_profile_leaves_nothing(world: World) -> None:
    acme = await world.tenant("erased")
    first = await world.job(acme, person("anna"))
    made = await acme.voices.enroll(first, "S1", "Anna", AGREED)
    await acme.voices.rename(made.voice_id, "Anna B", 1)
    key_ids = {head.key_id for _, head in await VoiceEntries(world.broker).heads()}
    await acme.voices.delete(made.voice_id)
    left = {head.key_id for _, head in await VoiceEntries(world.broker).heads()}
    (destroyed,) = key_ids - left
    buckets = [*world.mesh.nats.store.rglob("KV_maie_voices")]
    buckets += world.mesh.nats.store.rglob("KV_maie_data_keys")
    assert len(buckets) == 2
    # Its id stays in the audit log, which says that it was deleted.
    assert not files_with(buckets, [made.voice_id, destroyed])


async def test_a_removed_tenant_has_no_voices(world: World) -> None:
    acme = await world.tenant("removed")
    first = await world.job(acme, person("anna"))
    await acme.voices.enroll(first, "S1", "Anna", AGREED)
    assert [each async for each in world.admin.tenants.remove("removed")]
    assert await VoiceEntries(world.broker).ids("removed") == set()
    assert not (await acme.voices.list()).voices


async def test_who_enrolled_and_searched_is_in_the_audit_log(world: World) -> None:
    acme = await world.tenant("audited")
    first = await world.job(acme, person("anna"))
    made = await acme.voices.enroll(first, "S1", "Anna", AGREED)
    await acme.voices.rename(made.voice_id, "Anna B", 1)
    await acme.voices.find(first)
    await acme.voices.delete(made.voice_id)
    wanted = access.ListAuditEntriesRequest(tenant="audited")
    seen = {
        entry.action.rpartition("/")[2]: (entry.job_id, entry.voice_id)
        async for entry in world.admin.audit.entries(wanted)
    }
    assert {name: about for name, about in seen.items() if "Voice" in name} == {
        "EnrollVoice": (first, made.voice_id),
        "UpdateVoice": ("", made.voice_id),
        "FindVoices": (first, ""),
        "DeleteVoice": ("", made.voice_id),
    }
