"""A stream of any kind ends with its credentials, and says what to do; no word of it is lost."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from maie.access.v1 import access_pb2 as access
from maie.access.v1 import stored_pb2 as stored
from maie_client import Client, ClientError
from maie_client.live import LiveOptions, linear16
from maie_gateway.access.settings import AccessSettings
from maie_gateway.access.token_settings import TokenSettings
from maie_runtime.bus.broker import Broker
from tests.gateway.access.conftest import Guarded
from tests.gateway.access.issuer import AUDIENCE, ISSUER, Issuer
from tests.gateway.live.conftest import LiveMesh
from tests.gateway.live.conftest import live_mesh as live_mesh
from tests.gateway.live.conversation import talking
from tests.gateway.live.speech import pause, pieces, said
from tests.gateway.test_slow_uploads import Uploads, moving
from tests.gateway.test_tenancy import recording
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.mesh

RAW = ("raw_transcript",)
INVALID = ("UNAUTHENTICATED", "CREDENTIALS_INVALID")


@dataclass(kw_only=True)
class Streams:
    """One stream of each kind.

    Attributes:
        running: What waits for the end of each.
        enough: Ends the upload.
    """

    running: dict[str, asyncio.Task[None]]
    enough: asyncio.Event

    async def ends(self) -> dict[str, tuple[str, str, str]]:
        """How each ends: its status, reason and message; nothing for one that ends well."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asyncio.wait(self.running.values())
        return {kind: _end(task.exception()) for kind, task in self.running.items()}

    @property
    def run(self) -> bool:
        """Whether none has ended."""
        return not any(task.done() for task in self.running.values())


def _end(error: BaseException | None) -> tuple[str, str, str]:
    if error is None:
        return "", "", ""
    assert isinstance(error, ClientError)
    return error.code.name, error.reason, error.message


async def to_the_end(events: Any) -> None:
    """Reads a stream to its end."""
    async for _ in events:
        pass


@asynccontextmanager
async def streaming(client: Client) -> AsyncIterator[Streams]:
    """A stream of each kind with a client's credentials, each begun.

    Raises:
        ClientError: One was refused.
    """
    enough = asyncio.Event()
    async with AsyncExitStack() as stack:
        made = await client.create_job(recording(), features=RAW)
        watch = client.watch_job(made.job_id)
        await anext(watch)
        options: Any = LiveOptions(features=RAW, format=linear16(16_000))
        session = await stack.enter_async_context(client.live(**options))
        uploads = Uploads()
        running = {
            "watch": asyncio.create_task(to_the_end(watch)),
            "live": asyncio.create_task(to_the_end(session)),
            "upload": asyncio.create_task(_upload(client, enough)),
        }
        await until(lambda: uploads.under_way or running["upload"].done())
        try:
            yield Streams(running=running, enough=enough)
        finally:
            for task in running.values():
                task.cancel()
            await asyncio.gather(*running.values(), return_exceptions=True)


async def _upload(client: Client, enough: asyncio.Event) -> None:
    await client.create_job(moving(enough), features=RAW)


@asynccontextmanager
async def changed(broker: Broker, key_id: str) -> AsyncIterator[stored.StoredKey]:
    """A key as it is stored, which is stored again as it was changed."""
    entry = await broker.keys.get(key_id)
    key = stored.StoredKey.FromString(entry.value or b"")
    yield key
    await broker.keys.put(key_id, key.SerializeToString())


Change = Callable[[Guarded, str, Broker, str], Awaitable[None]]


async def expires(guarded: Guarded, address: str, broker: Broker, key_id: str) -> None:
    """The key expires in a moment."""
    async with changed(broker, key_id) as key:
        key.key.expire_time.FromDatetime(datetime.now(UTC) + timedelta(seconds=0.5))


async def rotated(guarded: Guarded, address: str, broker: Broker, key_id: str) -> None:
    """The key gets another secret, and the one before works no more."""
    async with guarded.admin(address) as admin:
        await admin.keys.rotate(key_id, timedelta(0))


async def overlaps(guarded: Guarded, address: str, broker: Broker, key_id: str) -> None:
    """The key was rotated, and the secret before works a moment longer."""
    async with guarded.admin(address) as admin:
        await admin.keys.rotate(key_id, timedelta(hours=1))
    async with changed(broker, key_id) as key:
        assert len(key.secrets) == 2
        key.secrets[1].expire_time.FromDatetime(datetime.now(UTC) + timedelta(seconds=0.5))


async def revoked(guarded: Guarded, address: str, broker: Broker, key_id: str) -> None:
    """The key is revoked."""
    async with guarded.admin(address) as admin:
        await admin.keys.revoke(key_id)


async def of_another_tenant(guarded: Guarded, address: str, broker: Broker, key_id: str) -> None:
    """The key becomes another tenant's, which only who writes to NATS can do."""
    async with changed(broker, key_id) as key:
        key.key.tenant = "other"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (expires, "expired while it ran; call again with new ones"),
        (rotated, "is unknown, revoked or damaged; use another one"),
        (overlaps, "expired while it ran; call again with new ones"),
        (revoked, "is unknown, revoked or damaged; use another one"),
        (of_another_tenant, "became another caller's while it ran; call again"),
    ],
)
async def test_streams_end_with_their_key_and_others_go_on(
    guarded: Guarded, broker: Broker, change: Change, says: str
) -> None:
    async with guarded.mesh.gateway() as address, AsyncExitStack() as stack:
        keys = [await guarded.key(address, "acme") for _ in range(2)]
        ending, staying = [
            await stack.enter_async_context(
                streaming(await stack.enter_async_context(Client(address, token=key.api_key)))
            )
            for key in keys
        ]
        await change(guarded, address, broker, keys[0].key.key_id)
        for kind, (code, reason, message) in (await ending.ends()).items():
            assert (code, reason) == INVALID, kind
            assert says in message, kind
        assert staying.run


async def test_streams_whose_scope_was_taken_away_end(guarded: Guarded, broker: Broker) -> None:
    async with guarded.mesh.gateway() as address:
        made = await guarded.key(address, "acme")
        async with Client(address, token=made.api_key) as client, streaming(client) as streams:
            async with changed(broker, made.key.key_id) as key:
                del key.key.scopes[:]
                key.key.scopes.append(access.SCOPE_ADMIN)
            for code, reason, message in (await streams.ends()).values():
                assert (code, reason) == ("PERMISSION_DENIED", "SCOPE_MISSING")
                assert "use others, or ask who made them" in message


async def test_streams_of_a_key_that_changes_otherwise_go_on(
    guarded: Guarded, broker: Broker
) -> None:
    async with guarded.mesh.gateway() as address, guarded.admin(address) as admin:
        made = await guarded.key(address, "acme")
        async with Client(address, token=made.api_key) as client, streaming(client) as streams:
            await admin.keys.rotate(made.key.key_id)
            async with changed(broker, made.key.key_id) as key:
                key.key.display_name = "another"
            # The gateway sees a later key only after these changes.
            seen = await guarded.key(address, "acme")
            async with Client(address, token=seen.api_key) as later:
                await later.list_templates()
            streams.enough.set()
            await streams.running["upload"]
            del streams.running["upload"]
            assert streams.run


@asynccontextmanager
async def taking_tokens(guarded: Guarded, file: Path, **options: Any) -> AsyncIterator[str]:
    """A gateway that takes an issuer's tokens; gives its address."""
    tokens = TokenSettings(
        issuer=ISSUER, audience=AUDIENCE, jwks_file=file, leeway_seconds=0, **options
    )
    guarded.mesh.gateway_options["access"] = AccessSettings(local_user=False, tokens=tokens)
    async with guarded.mesh.gateway() as address:
        yield address


SCOPES = "maie:read maie:submit maie:live"


async def test_streams_end_with_their_token(guarded: Guarded, tmp_path: Path) -> None:
    issuer, file = Issuer(), tmp_path / "keys.json"
    issuer.add("one")
    file.write_text(json.dumps(issuer.jwks()))
    async with taking_tokens(guarded, file) as address:
        # On a slow machine a token may expire before all streams have begun.
        for seconds in (3, 9, 27, 81):
            token = issuer.token(exp=int(time.time()) + seconds, scope=SCOPES)
            try:
                async with Client(address, token=token) as client, streaming(client) as streams:
                    ends = await streams.ends()
            except ClientError as error:
                if error.reason != "CREDENTIALS_INVALID":
                    raise
                continue
            for kind, (code, reason, message) in ends.items():
                assert (code, reason) == INVALID, kind
                assert "expired while it ran; call again with new ones" in message
            return
        pytest.fail("No token was valid for long enough.")


async def test_streams_end_with_the_key_that_signed_their_token(
    guarded: Guarded, tmp_path: Path
) -> None:
    issuer, file = Issuer(), tmp_path / "keys.json"
    issuer.add("old")
    issuer.add("new")
    file.write_text(json.dumps(issuer.jwks()))
    async with taking_tokens(guarded, file, refresh_seconds=1, least_refresh_seconds=1) as address:
        old, new = (issuer.token(key_id, scope=SCOPES) for key_id in ("old", "new"))
        async with (
            Client(address, token=old) as ending,
            Client(address, token=new) as staying,
            streaming(ending) as withdrawn,
            streaming(staying) as kept,
        ):
            del issuer.private["old"]
            file.write_text(json.dumps(issuer.jwks()))
            for code, reason, message in (await withdrawn.ends()).values():
                assert (code, reason) == INVALID
                assert "get a new one" in message
            assert kept.run


async def test_a_session_whose_key_expires_loses_no_word(
    guarded: Guarded, live_mesh: LiveMesh, broker: Broker
) -> None:
    # Word 2 is not durable when the call ends, since it goes on.
    sounds = (said([1]), said([2])[: -pause_bytes(0.5)])
    sent = [piece for sound in sounds for piece in pieces(sound)]
    async with live_mesh.running(linger_seconds=60.0) as (address, _):
        first, second = [await guarded.key(address, "acme") for _ in range(2)]
        async with talking(address, token=first.api_key) as talk:
            started = await talk.start()
            for sound in sounds:
                await talk.audio("ann", sound)
            await talk.next("final")
            await talk.received("ann", len(sent))
            await expires(guarded, address, broker, first.key.key_id)
            status, reason = await talk.failure()
            assert (status.name, reason) == INVALID
        async with talking(address, token=second.api_key) as again:
            resumed = await again.resume(started, max(event.sequence for event in talk.events))
            (track,) = resumed.tracks
            assert track.durable_sequence < len(sent)
            again.sent["ann"] = track.durable_sequence
            await again.audio("ann", b"".join(sent[track.durable_sequence :]) + said([3]))
            await again.end()
        heard = [each.removeprefix("ann:") for each in talk.finals() + again.finals()]
        assert " ".join(heard) == "w1 w2 w3"


def pause_bytes(seconds: float) -> int:
    """How many bytes so much silence has."""
    return len(pause(seconds))
