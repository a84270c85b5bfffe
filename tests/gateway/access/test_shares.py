"""A share shows one job to those who have its token, until it ends, and nothing else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import MethodDescriptor
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from maie.access.v1 import access_pb2 as access
from maie.common.v1 import types_pb2 as common
from maie.edit.v1 import edit_pb2 as edit
from maie.job.v1 import job_pb2 as job
from maie.share.v1 import share_pb2 as share
from maie.share.v1 import stored_pb2 as stored
from maie_client import Client, ClientError
from maie_core.caller import Caller
from maie_core.errors import StageError
from maie_core.share_tokens import PREFIX, ShareToken, new_token, parse_token
from maie_gateway.access import guard
from maie_gateway.access.settings import AccessSettings
from maie_gateway.server import SERVICES
from maie_gateway.shares.callers import ShareCallers
from maie_gateway.shares.settings import ShareSettings
from maie_gateway.shares.store import STREAM, ShareStore
from maie_gateway.views.shared import shared_view, shown_template
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.stored_subjects import stored_subjects
from maie_runtime.rpc.callers.authenticator import AUTHORIZATION, Call
from maie_templates import TemplateLibrary
from tests.gateway.access.conftest import Guarded
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.mesh

CONTENT = bytes(range(256)) * 8192
EVERYTHING = ("raw_transcript", "clean_transcript", "summary")
ABSENT = "01900000-0000-7000-8000-000000000000"
INVALID = ("UNAUTHENTICATED", "CREDENTIALS_INVALID")
DENIED = ("PERMISSION_DENIED", "SCOPE_MISSING")
NO_JOB = ("NOT_FOUND", "JOB_NOT_FOUND")


async def recording() -> AsyncIterator[bytes]:
    yield CONTENT


async def refusal(asking: Awaitable[object]) -> tuple[str, str]:
    """How a call is refused."""
    with pytest.raises(ClientError) as refused:
        await asking
    return refused.value.code.name, refused.value.reason


async def message_for(address: str, token: str, job_id: str) -> str:
    """The whole answer to a token that is refused."""
    async with Client(address, token=token) as client:
        with pytest.raises(ClientError) as refused:
            await client.get_job(job_id)
    assert (refused.value.code.name, refused.value.reason) == INVALID
    return refused.value.message


async def audio_of(client: Client, job_id: str, *, digest: bool = False) -> bytes:
    """A job's audio."""
    async with aclosing(client.get_audio(job_id, digest=digest)) as parts:
        return b"".join([part.audio async for part in parts])


@asynccontextmanager
async def tenant(guarded: Guarded, address: str, name: str = "acme") -> AsyncIterator[Client]:
    """A client with a key of a tenant."""
    made = await guarded.key(address, name)
    async with Client(address, token=made.api_key) as client:
        yield client


async def accepted(client: Client, **options: Any) -> str:
    """A job of which nothing is made yet."""
    return (await client.create_job(recording(), features=["raw_transcript"], **options)).job_id


async def test_a_stranger_reads_the_job_and_sees_nothing_of_its_tenant(guarded: Guarded) -> None:
    async with (
        guarded.mesh.services(),
        guarded.mesh.gateway() as address,
        tenant(guarded, address) as owner,
    ):
        made = await owner.create_job(
            recording(),
            features=EVERYTHING,
            template_id="meeting_notes_v1",
            display_name="Standup",
            labels={"case": "secret-case"},
            hotwords=["secret-word"],
        )
        async with aclosing(owner.watch_job(made.job_id)) as events:
            full = [each async for each in events][-1].finished.job
        assert full.state == job.JOB_STATE_COMPLETE
        segment = full.results.segments[0]
        change = edit.SegmentEdit(
            segment_ids=[segment.segment_id], segments=[edit.EditedSegment(text="corrected")]
        )
        await owner.revisions.save(made.job_id, 0, [change])
        link = await owner.shares.create(made.job_id)
        assert link.token.startswith(PREFIX)
        assert link.share.created_by.startswith("key:")
        async with Client(address, token=link.token) as stranger:
            shown = await stranger.get_job(made.job_id)
            assert await refusal(stranger.get_job(made.job_id, 0)) == DENIED
            assert await refusal(audio_of(stranger, made.job_id)) == DENIED
        assert shown.results.segments[0].text == "corrected"
        assert shown.results.summary.content == full.results.summary.content
        assert shown.shared.expire_time.seconds == link.share.expire_time.seconds
        assert not shown.shared.audio
        assert shown.shared.template.template_id == "meeting_notes_v1"
        shown.ClearField("shared")
        assert {field.name for field, _ in shown.ListFields()} == {
            *("job_id", "state", "create_time", "finish_time", "display_name"),
            *("results", "metrics"),
        }
        for secret in ("acme", "secret-", segment.text):
            assert secret not in str(shown)


@pytest.mark.unit
def test_a_stranger_is_told_what_a_transcript_lacks() -> None:
    gap = common.Warning(reason="GAP", message="A gap.")
    full = job.Job(results=job.JobResults(language_code="en", warnings=[gap]))
    assert shared_view(full).results == full.results


@pytest.mark.unit
def test_a_strangers_summary_has_the_titles_and_the_order_of_its_template() -> None:
    template = TemplateLibrary().get("meeting_notes_v1").to_message()
    shared = shown_template(template)
    known, shown = (json.loads(each.schema_json) for each in (template, shared))
    assert [(name, each.get("title")) for name, each in shown["properties"].items()] == [
        (name, each.get("title")) for name, each in known["properties"].items()
    ]
    assert "description" in template.schema_json
    assert "description" not in shared.schema_json
    assert shared.prompt == shared.examples_json == ""


async def test_a_share_may_call_nothing_but_its_job(guarded: Guarded) -> None:
    async with guarded.mesh.gateway() as address, tenant(guarded, address) as owner:
        names = {"filename": "secret.wav", "display_name": "Standup"}
        job_id, other = await accepted(owner, **names), await accepted(owner)
        token = (await owner.shares.create(job_id, audio=True)).token
        async with Client(address, token=token) as stranger:
            assert (await stranger.get_job(job_id)).job_id == job_id
            assert await audio_of(stranger, job_id) == CONTENT
            async with aclosing(stranger.get_audio(job_id)) as parts:
                assert (await anext(parts)).info.filename == "Standup.wav"
            assert await refusal(audio_of(stranger, job_id, digest=True)) == DENIED
            for absent in (other, ABSENT):
                assert await refusal(stranger.get_job(absent)) == NO_JOB
                assert await refusal(audio_of(stranger, absent)) == NO_JOB
                assert await refusal(stranger.get_waveform(absent)) == NO_JOB
        pool = descriptor_pool.Default()
        async with grpc.aio.insecure_channel(address) as channel:
            for method in (
                each for name in SERVICES for each in pool.FindServiceByName(name).methods
            ):
                if method.name not in ("GetJob", "GetAudio", "GetWaveform"):
                    assert await called(channel, method, token) == DENIED, method.full_name
        assert await owner.get_job(job_id)


async def called(channel: Any, method: MethodDescriptor, token: str) -> tuple[str, str]:
    """How a call of an RPC with a token is refused."""
    path = f"/{method.containing_service.full_name}/{method.name}"
    call = channel.stream_stream(path)(
        _none_yet(), metadata=(("authorization", f"Bearer {token}"),)
    )
    with pytest.raises(grpc.aio.AioRpcError) as error:
        async for _ in call:
            pass
    status: Any = rpc_status.from_call(error.value)  # type: ignore[arg-type]
    info = error_details_pb2.ErrorInfo()
    status.details[0].Unpack(info)
    return error.value.code().name, info.reason


async def _none_yet() -> AsyncIterator[bytes]:
    await asyncio.Event().wait()
    yield b""


async def test_a_share_ends_and_nobody_sees_why(guarded: Guarded, broker: Broker) -> None:
    async with (
        guarded.mesh.gateway() as one,
        guarded.mesh.gateway() as two,
        tenant(guarded, one) as owner,
    ):
        job_id = await accepted(owner)
        links = [await owner.shares.create(job_id) for _ in range(2)]
        token = parse_token(links[0].token)
        assert token
        expired = await expired_share(broker, job_id)
        assert [each.share_id for each in await owner.shares.list(job_id)] == [
            link.share.share_id for link in reversed(links)
        ]
        await owner.shares.revoke(job_id, token.share_id)
        wrong = ShareToken(job_id=job_id, share_id=token.share_id, secret="A" * 43)
        said = {
            await message_for(at, text, job_id)
            for at in (one, two)
            for text in (
                links[0].token,
                expired.text,
                new_token(job_id).text,
                new_token(ABSENT).text,
                wrong.text,
                links[1].token[:-1],
                PREFIX,
            )
        }
        assert len(said) == 1
        assert await owner.shares.list() == [links[1].share]
        store = ShareStore(broker)
        for share_id in (token.share_id, expired.share_id, "0" * 12, links[1].share.share_id):
            before = broker.client.stats["out_msgs"]
            await store.find(job_id, share_id)
            assert broker.client.stats["out_msgs"] - before == 1


async def expired_share(broker: Broker, job_id: str) -> ShareToken:
    """A share that has expired, and that the broker has not yet forgotten."""
    token = new_token(job_id)
    shown = share.Share(share_id=token.share_id, job_id=job_id)
    shown.expire_time.FromDatetime(datetime.now(UTC) - timedelta(seconds=1))
    data = stored.StoredShare(share=shown, sha256=token.sha256).SerializeToString()
    key = subjects.share("acme", job_id, token.share_id)
    await broker.jetstream.publish(subjects.bucket_subject(subjects.SHARES, key), data)
    return token


async def test_a_tenant_makes_shares_of_its_own_jobs_within_limits(guarded: Guarded) -> None:
    guarded.mesh.gateway_options["shares"] = ShareSettings(
        max_days=1, default_days=0.5, max_per_job=2, max_per_tenant=3
    )
    async with (
        guarded.mesh.gateway() as address,
        tenant(guarded, address) as owner,
        tenant(guarded, address, "other") as other,
    ):
        job_id, second = await accepted(owner), await accepted(owner)
        made = (await owner.shares.create(job_id)).share
        assert made.expire_time.ToDatetime() - made.create_time.ToDatetime() == timedelta(hours=12)
        for shares, name in ((other.shares, job_id), (owner.shares, ABSENT)):
            assert await refusal(shares.create(name)) == NO_JOB
            assert await refusal(shares.list(name)) == NO_JOB
            assert await refusal(shares.revoke(name, made.share_id)) == NO_JOB
        assert await other.shares.list() == []
        for days in (0, -1, 1.01, 3_000_000):
            lifetime = timedelta(days=days)
            refused = await refusal(owner.shares.create(job_id, lifetime=lifetime))
            assert refused == ("INVALID_ARGUMENT", "FIELD_INVALID")
        for share_id in ("", "*", ">", "x", "0" * 12):
            refused = await refusal(owner.shares.revoke(job_id, share_id))
            assert refused == ("NOT_FOUND", "SHARE_NOT_FOUND")
        await owner.shares.create(job_id)
        assert await refusal(owner.shares.create(job_id)) == FULL
        await owner.shares.create(second)
        assert await refusal(owner.shares.create(second)) == FULL
        await owner.shares.revoke(job_id, made.share_id)
        await owner.shares.create(second)
        for scopes in ((access.SCOPE_SUBMIT,), (access.SCOPE_READ,)):
            key = await guarded.key(address, "acme", scopes)
            async with Client(address, token=key.api_key) as partial:
                assert await refusal(partial.shares.create(job_id)) == DENIED


FULL = ("FAILED_PRECONDITION", "SHARES_FULL")


async def test_a_mesh_may_have_no_shares(guarded: Guarded) -> None:
    guarded.mesh.gateway_options["shares"] = ShareSettings(max_per_job=0)
    async with guarded.mesh.gateway() as address, tenant(guarded, address) as owner:
        refused = await refusal(owner.shares.create(await accepted(owner)))
        assert refused == ("PERMISSION_DENIED", "SHARES_OFF")


async def test_shares_go_with_their_job_and_leave_audit_entries(
    guarded: Guarded, broker: Broker, capfd: pytest.CaptureFixture[str]
) -> None:
    async with guarded.mesh.gateway() as address, tenant(guarded, address) as owner:
        job_id = await accepted(owner)
        links = [await owner.shares.create(job_id) for _ in range(2)]
        await owner.shares.revoke(job_id, links[0].share.share_id)
        async with Client(address, token=links[1].token) as stranger:
            await stranger.get_job(job_id)
            reader = f"share:{links[1].share.share_id}"
            of_acme = access.ListAuditEntriesRequest(tenant="acme")
            async with guarded.admin(address) as admin:
                entries = [each async for each in admin.audit.entries(of_acme)]
            await owner.delete_job(job_id)
            assert await refusal(stranger.get_job(job_id)) == INVALID
        about = {(entry.action.rpartition("/")[2], entry.share_id) for entry in entries}
        assert about >= {("CreateShare", link.share.share_id) for link in links}
        assert ("RevokeShare", links[0].share.share_id) in about
        (read,) = [entry for entry in entries if entry.caller_id == reader]
        assert (read.caller_kind, read.job_id) == ("share", job_id)
        assert read.scopes == [access.SCOPE_SHARED]
        assert await stored_subjects(broker.client, STREAM) == set()
    captured = capfd.readouterr()
    for link in links:
        token = parse_token(link.token)
        assert token
        assert token.secret not in captured.out + captured.err


async def test_a_stream_ends_when_its_share_is_revoked_at_another_gateway(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "RECHECK_SECONDS", 0.05)
    here = guard.Guard(AccessSettings(local_user=True), "127.0.0.1:1", proxied=False)
    token, store = new_token(ABSENT), ShareStore(broker)
    shown = share.Share(share_id=token.share_id, job_id=ABSENT)
    shown.expire_time.FromDatetime(datetime.now(UTC) + timedelta(hours=1))
    await store.create("acme", stored.StoredShare(share=shown, sha256=token.sha256))
    shares = next(each for each in here.authenticators if isinstance(each, ShareCallers))
    metadata = {AUTHORIZATION: [f"Bearer {token.text}"]}
    call = Call(peer="ipv4:127.0.0.1:2", server="127.0.0.1:1", metadata=metadata, transport={})

    async def admit() -> Caller:
        caller = await shares.caller_of(call)
        assert caller
        return caller

    with pytest.raises(StageError) as refused:
        await admit()
    assert refused.value.reason == "BROKER_UNAVAILABLE"
    async with here.running(broker):
        with pytest.raises(StageError) as ended:
            async with (
                asyncio.timeout(PATIENCE_SECONDS),
                here.streams.stream(await admit(), admit),
            ):
                await store.erase("acme", ABSENT, token.share_id)
                await asyncio.Future()
        assert ended.value.reason == "CREDENTIALS_INVALID"
