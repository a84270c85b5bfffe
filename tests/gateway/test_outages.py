"""Every call waits for a broker without a leader, and does what it should, once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any

import pytest

from maie.access.v1 import access_pb2 as access
from maie.job.v1 import job_pb2 as job
from maie_client import Client, ClientError
from maie_client import client as client_module
from maie_core.settings import MeshSettings
from maie_runtime.bus import outages
from tests.gateway.conftest import EmptyMesh
from tests.gateway.live.conversation import config, talking
from tests.nats_cluster import NatsCluster
from tests.waiting import PATIENCE_SECONDS

pytestmark = [
    pytest.mark.mesh,
    # nats-py drops what it opened to a server that accepts and says nothing; it is closed then.
    pytest.mark.filterwarnings("ignore:unclosed <StreamWriter:ResourceWarning"),
]

SPELL_SECONDS = 3.0
"""Longer than the first answer to a request may take."""
WRITES = (
    *("submit", "update", "cancel", "retry", "delete"),
    *("rotate", "revoke", "new key", "live", "provision"),
)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine an election, or a start, may take longer than anybody would wait."""
    monkeypatch.setattr(outages, "RIDE_OUT_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(client_module, "UNARY_TIMEOUT_SECONDS", PATIENCE_SECONDS)


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[NatsCluster]:
    """Three servers with three copies of each stream."""
    made = NatsCluster(tmp_path / "nats")
    try:
        await made.start()
        async with made.provisioned():
            yield made
    finally:
        await made.stop()


async def test_every_call_waits_for_a_leader(cluster: NatsCluster, tmp_path: Path) -> None:
    settings = MeshSettings(nats_url=cluster.url, blob_url=f"file://{tmp_path}/blobs")
    mesh = EmptyMesh(nats=next(iter(cluster.servers.values())), mesh=settings)
    async with mesh.gateway() as address, Client(address) as client:
        named, gone, ended, again = [await _submit(client) for _ in range(4)]
        await client.cancel_job(again)
        key, old = [await _new_key(client) for _ in range(2)]
        (first, *others) = cluster.servers.values()
        await asyncio.gather(*(each.stop(kill=True) for each in others))
        calls: dict[str, Coroutine[Any, Any, Any]] = {
            "submit": _submit(client),
            "read": client.get_job(named),
            "update": client.update_job(named, display_name="Monday"),
            "cancel": client.cancel_job(ended),
            "retry": client.retry_job(again),
            "delete": client.delete_job(gone),
            "dead letters": _all(client.list_dead_letters()),
            "replay": _reason(client.replay_dead_letter(1)),
            "rotate": client.keys.rotate(key),
            "revoke": client.keys.revoke(old),
            "new key": _new_key(client),
            "audit": _all(client.audit.entries(access.ListAuditEntriesRequest())),
            "mesh": client.get_mesh(),
            "templates": client.list_templates(),
            "live": _begin_session(address),
            "provision": _provision(cluster),
        }
        waiting = {name: asyncio.create_task(call) for name, call in calls.items()}
        # This asks nobody.
        assert len(await _all(client.list_jobs())) == 4
        await asyncio.sleep(SPELL_SECONDS)
        # A leader without the others still answers reads for a while.
        assert not any(waiting[name].done() for name in WRITES)
        await asyncio.gather(*(each.start() for each in others))
        answers = dict(zip(waiting, await asyncio.gather(*waiting.values()), strict=True))
        shown = {each.job_id: each async for each in client.list_jobs()}
        assert shown.keys() == {named, ended, again, answers["submit"], answers["live"]}
        assert shown[named].display_name == "Monday"
        assert answers["cancel"].state == job.JOB_STATE_CANCELLED
        assert answers["retry"].state != job.JOB_STATE_CANCELLED
        assert answers["replay"] == "DEAD_LETTER_NOT_FOUND"
        keys = {each.key_id: each for each in await client.keys.list()}
        assert keys.keys() == {key, old, answers["new key"]}
        assert keys[key].HasField("rotate_time")
        assert keys[old].HasField("revoke_time")
        assert first.process is not None


async def _audio() -> AsyncIterator[bytes]:
    yield b"a recording"


async def _submit(client: Client) -> str:
    return (await client.create_job(_audio(), features=("raw_transcript",))).job_id


async def _new_key(client: Client) -> str:
    made = await client.keys.create(scopes=[access.SCOPE_READ])
    return made.key.key_id


async def _all(answers: AsyncIterator[Any]) -> list[Any]:
    return [each async for each in answers]


async def _reason(call: Coroutine[Any, Any, Any]) -> str | None:
    with pytest.raises(ClientError) as refused:
        await call
    return refused.value.reason


async def _begin_session(address: str) -> str:
    async with talking(address) as talk:
        started = await talk.start(config())
        session_id: str = started.session_id
        return session_id


async def _provision(cluster: NatsCluster) -> None:
    async with cluster.provisioned():
        pass
