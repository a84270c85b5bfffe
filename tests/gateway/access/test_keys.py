"""API keys: what they allow, how long, and at which gateways."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from maie.access.v1 import access_pb2 as access
from maie_client import Client, ClientError
from maie_client.live import LiveOptions, linear16
from maie_core.api_keys import BOOTSTRAP_ID, new_key, parse_key
from maie_gateway.access.key_callers import check_secret
from maie_gateway.access.settings import AccessSettings
from maie_runtime.bus import outages
from maie_runtime.bus.broker import Broker, open_broker
from tests.gateway.access.conftest import ALL, USER, Guarded, eventually
from tests.gateway.test_tenancy import recording
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.mesh


async def refusal(asking: Awaitable[object]) -> tuple[str, str]:
    """How a call is refused."""
    with pytest.raises(ClientError) as refused:
        await asking
    return refused.value.code.name, refused.value.reason


async def lists(address: str, token: str, tenant: str = "") -> list[str]:
    """The jobs that a caller sees."""
    async with Client(address, token=token, tenant=tenant) as client:
        return [shown.job_id async for shown in client.list_jobs()]


async def outcome(address: str, token: str) -> str:
    """Why a key is not taken; empty where it is."""
    try:
        await lists(address, token)
    except ClientError as error:
        return error.reason
    return ""


INVALID = ("UNAUTHENTICATED", "CREDENTIALS_INVALID")


async def test_a_key_acts_for_its_tenant_within_its_scopes(guarded: Guarded) -> None:
    async with guarded.mesh.gateway() as address:
        made = await guarded.key(address, "acme", (access.SCOPE_SUBMIT, access.SCOPE_READ))
        assert made.key.created_by == f"key:{BOOTSTRAP_ID}"
        assert made.api_key.startswith(f"maie_{made.key.key_id}_")
        async with Client(address, token=made.api_key) as client:
            job = await client.create_job(recording(), features=["raw_transcript"])
            assert job.tenant == "acme"
            denied = ("PERMISSION_DENIED", "SCOPE_MISSING")
            assert await refusal(client.keys.list()) == denied
            assert await refusal(client.get_mesh()) == denied
            assert await client.list_templates()
        assert await lists(address, made.api_key, "acme") == [job.job_id]
        other = ("PERMISSION_DENIED", "TENANT_NOT_ALLOWED")
        assert await refusal(lists(address, made.api_key, "other")) == other
        assert await lists(address, (await guarded.key(address, "other")).api_key) == []


async def test_nobody_gets_in_without_a_key_that_works(guarded: Guarded) -> None:
    async with guarded.mesh.gateway() as address:
        made = await guarded.key(address, "acme")
        other = await guarded.key(address, "acme")
        assert await refusal(lists(address, "")) == ("UNAUTHENTICATED", "CREDENTIALS_MISSING")
        secret = parse_key(made.api_key)
        assert secret
        for wrong in (
            made.api_key[:-1],
            f"{made.api_key}A",
            f"maie_{other.key.key_id}_{secret.secret}",
            new_key().text,
            new_key(made.key.key_id).text,
            new_key(BOOTSTRAP_ID).text,
            "maie_",
            f"maie_{'x' * 4000}",
        ):
            assert await refusal(lists(address, wrong)) == INVALID
        assert await lists(address, made.api_key) == []


async def test_all_gateways_agree_on_what_is_made_and_revoked(guarded: Guarded) -> None:
    async with guarded.mesh.gateway() as one, guarded.mesh.gateway() as two:
        made = await guarded.key(one, "acme")
        assert await lists(one, made.api_key) == []

        async def works_at_two() -> bool:
            return await outcome(two, made.api_key) == ""

        assert await eventually(works_at_two)
        async with guarded.admin(two) as admin:
            revoked = await admin.keys.revoke(made.key.key_id)
            assert revoked.HasField("revoke_time")
            assert await refusal(lists(two, made.api_key)) == INVALID
            again = await admin.keys.revoke(made.key.key_id)
            assert again.revoke_time == revoked.revoke_time
            assert await refusal(admin.keys.rotate(made.key.key_id)) == KEY_NOT_FOUND

        async def refused_at_one() -> bool:
            return await outcome(one, made.api_key) == "CREDENTIALS_INVALID"

        assert await eventually(refused_at_one)


KEY_NOT_FOUND = ("NOT_FOUND", "KEY_NOT_FOUND")


async def test_a_rotated_key_works_on_for_the_overlap_only(guarded: Guarded) -> None:
    async with guarded.mesh.gateway() as address, guarded.admin(address) as admin:
        first = await guarded.key(address, "acme")
        key_id = first.key.key_id
        second = await admin.keys.rotate(key_id)
        assert (second.key.key_id, second.key.tenant) == (key_id, "acme")
        assert second.key.overlap_end_time.ToDatetime(UTC) > datetime.now(UTC)
        for text in (first.api_key, second.api_key):
            assert await lists(address, text) == []
        third = await admin.keys.rotate(key_id, timedelta(0))
        assert not third.key.HasField("overlap_end_time")
        for text in (first.api_key, second.api_key):
            assert await refusal(lists(address, text)) == INVALID
        assert await lists(address, third.api_key) == []
        (listed,) = await admin.keys.list("acme")
        assert listed == third.key


async def test_an_expired_key_says_so_to_who_has_it(guarded: Guarded, broker: Broker) -> None:
    async with guarded.mesh.gateway() as address:
        made = await guarded.key(address, "acme")
    from maie.access.v1 import stored_pb2 as stored

    entry = await broker.keys.get(made.key.key_id)
    key, text = stored.StoredKey.FromString(entry.value or b""), parse_key(made.api_key)
    assert text
    key.key.expire_time.FromDatetime(datetime.now(UTC) + timedelta(hours=1))
    check_secret(key, text, datetime.now(UTC))
    later = datetime.now(UTC) + timedelta(hours=2)
    with pytest.raises(Exception, match="has expired"):
        check_secret(key, text, later)
    with pytest.raises(Exception, match="is unknown"):
        check_secret(key, new_key(text.key_id), later)


async def test_no_secret_is_stored_or_logged(
    guarded: Guarded, broker: Broker, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async with guarded.mesh.gateway() as address, guarded.admin(address) as admin:
        texts = [(await guarded.key(address, "acme")).api_key for _ in range(3)]
        rotated = await admin.keys.rotate((await admin.keys.list())[0].key_id)
        await refusal(lists(address, texts[0][:-1]))
        listed = str(await admin.keys.list())
    secrets = [text.split("_", 2)[2] for text in (*texts, rotated.api_key, guarded.bootstrap)]
    stored = [path.read_bytes() for path in (tmp_path / "jetstream").rglob("*") if path.is_file()]
    captured = capfd.readouterr()
    for secret in secrets:
        assert all(secret.encode() not in content for content in stored)
        assert secret not in captured.out + captured.err + listed


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"scopes": ()}, "FIELD_INVALID"),
        ({"scopes": (0,)}, "FIELD_INVALID"),
        ({"scopes": (99,)}, "FIELD_INVALID"),
        ({"scopes": ALL, "tenant": "A"}, "TENANT_INVALID"),
        ({"scopes": ALL, "display_name": "x" * 201}, "DISPLAY_NAME_INVALID"),
        ({"scopes": ALL, "lifetime": timedelta(seconds=1)}, "FIELD_INVALID"),
        ({"scopes": ALL, "lifetime": timedelta(days=40000)}, "FIELD_INVALID"),
        ({"scopes": ALL, "lifetime": timedelta(seconds=-1)}, "FIELD_INVALID"),
    ],
)
async def test_what_no_key_can_be_is_refused(
    guarded: Guarded, options: dict[str, object], reason: str
) -> None:
    async with guarded.mesh.gateway() as address, guarded.admin(address) as admin:
        asking = admin.keys.create(**options)  # type: ignore[arg-type]
        assert await refusal(asking) == ("INVALID_ARGUMENT", reason)
        for key_id in ("", "x" * 12, "a" * 12, "*", "a.b", ">"):
            assert await refusal(admin.keys.revoke(key_id)) == KEY_NOT_FOUND
            assert await refusal(admin.keys.rotate(key_id)) == KEY_NOT_FOUND
        long = timedelta(days=31)
        assert (await refusal(admin.keys.rotate("a" * 12, long)))[1] == "FIELD_INVALID"


async def test_changes_at_the_same_time_are_all_made(guarded: Guarded) -> None:
    async with guarded.mesh.gateway() as one, guarded.mesh.gateway() as two:
        made = await guarded.key(one, "acme")
        async with AsyncExitStack() as stack:
            admins = [await stack.enter_async_context(guarded.admin(at)) for at in (one, two)]
            rotated = await asyncio.gather(
                *(admin.keys.rotate(made.key.key_id) for admin in admins)
            )
            for each in rotated:

                async def works(text: str = each.api_key) -> bool:
                    return await outcome(two, text) == ""

                assert await eventually(works)


async def test_while_the_broker_is_gone_no_key_is_taken_and_then_the_changes_hold(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outages, "RIDE_OUT_SECONDS", 0.5)
    async with guarded.mesh.gateway() as address:
        kept, gone = await guarded.key(address, "acme"), await guarded.key(address, "acme")
        await guarded.mesh.nats.stop(kill=True)

        async def unavailable() -> bool:
            return await outcome(address, kept.api_key) == "BROKER_UNAVAILABLE"

        assert await eventually(unavailable)
        await guarded.mesh.nats.start()
        # Another gateway revokes a key while this one is still on its way back.
        async with open_broker(guarded.mesh.nats.url, "other") as other:
            await other.keys.delete(gone.key.key_id)

        seen: set[str] = set()

        async def ended() -> bool:
            seen.add(await outcome(address, gone.api_key))
            return "CREDENTIALS_INVALID" in seen

        assert await eventually(ended)
        assert seen <= {"BROKER_UNAVAILABLE", "CREDENTIALS_INVALID"}
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await lists(address, kept.api_key) == []


async def test_the_local_user_needs_no_key_and_a_wrong_one_is_not_forgiven(
    guarded: Guarded,
) -> None:
    del guarded.mesh.gateway_options["access"]
    async with guarded.mesh.gateway() as address:
        assert await lists(address, "", "acme") == []
        assert await refusal(lists(address, new_key().text)) == INVALID
        assert await refusal(lists(address, "eyJhbGciOiJub25lIn0.e30.")) == INVALID
        assert await refusal(lists(address, guarded.bootstrap)) == INVALID
        async with Client(address) as client:
            made = await client.keys.create(scopes=USER, tenant="acme", display_name="first")
        assert made.key.created_by.startswith("local:")
        assert await lists(address, made.api_key) == []


@pytest.mark.parametrize("content", ["", "secret", "maie_0123456789ab_" + "x" * 43, None])
async def test_a_file_without_a_bootstrap_key_stops_the_start(
    guarded: Guarded, tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_text(content)
    guarded.mesh.gateway_options["access"] = AccessSettings(bootstrap_key_file=file)
    with pytest.raises(RuntimeError, match=r"maie keys bootstrap") as refused:
        async with guarded.mesh.gateway():
            pass
    assert "x" * 43 not in str(refused.value)


async def test_a_revoked_key_ends_what_it_follows(guarded: Guarded) -> None:
    async with guarded.mesh.gateway() as one, guarded.mesh.gateway() as two:
        gone, kept = await guarded.key(one, "acme"), await guarded.key(one, "acme")
        async with (
            Client(one, token=gone.api_key) as leaving,
            Client(one, token=kept.api_key) as staying,
            guarded.admin(two) as admin,
        ):
            job = await leaving.create_job(recording(), features=["raw_transcript"])
            watches = [client.watch_job(job.job_id) for client in (leaving, staying)]
            for watch in watches:
                await anext(watch)
            options: Any = LiveOptions(features=["raw_transcript"], format=linear16(16_000))
            async with leaving.live(**options) as session, staying.live(**options) as other:
                await admin.keys.revoke(gone.key.key_id)
                for stream in (watches[0], session):
                    with pytest.raises(ClientError) as ended:
                        async for _ in stream:
                            pass
                    assert ended.value.reason == "CREDENTIALS_INVALID"
                assert not (await staying.get_session(other.resume_point)).ended
            await staying.cancel_job(job.job_id)
            assert [event async for event in watches[1]][-1].HasField("finished")
