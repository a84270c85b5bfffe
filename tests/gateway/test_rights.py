"""Each part of a mesh works with the rights that are listed for it, and with no other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from maie.job.v1 import job_pb2 as job
from maie_client import Client
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_core.settings import GpuServiceSettings, MeshSettings
from maie_gateway.conductor import Policy
from maie_gateway.engine.wiring import ConductingOptions, conducting
from maie_gateway.server import serve_gateway
from maie_gateway.settings import GatewaySettings
from maie_gateway.webhooks import WebhookSettings
from maie_pipeline.bindings import BINDINGS
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.erasing import erase_all
from maie_runtime.bus.rights import GATEWAY
from maie_runtime.vault.key_file import new_line
from maie_runtime.worker.server import serve_stage
from maie_runtime.worker.stage import StageContext
from tests.empty_stages import EmptyStage, Gate, empty_stages
from tests.gateway.live.conversation import config, talking
from tests.gateway.live.loud_asr import replica
from tests.gateway.live.speech import said
from tests.gateway.vault.conftest import written
from tests.gateway.webhooks.receiver import SECRET, Receiver
from tests.guarded_nats import GuardedNats
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.mesh

ASKED: dict[str, Any] = {
    "features": ("raw_transcript", "clean_transcript", "summary"),
    "template_id": "meeting_notes_v1",
}
GPU = "test/0"


@dataclass(kw_only=True)
class Guarded:
    """A mesh whose broker allows each part what is listed for it.

    Attributes:
        nats: The broker.
        folder: Where blobs are.
        stages: The stages by slug.
        master_key: Encrypts jobs; empty for none.
    """

    nats: GuardedNats
    folder: Path
    stages: dict[str, EmptyStage]
    master_key: str = ""

    def mesh(self, part: str) -> MeshSettings:
        """A part's settings."""
        return MeshSettings(
            nats_url=self.nats.url,
            nats_nkey_file=self.nats.seed(part),
            blob_url=f"{self.folder.as_uri()}/blobs",
            shutdown_grace_seconds=1,
            ack_wait_seconds=1,
        )

    @asynccontextmanager
    async def running(self, *, without: str = "", **options: Any) -> AsyncIterator[Client]:
        """The whole mesh but for a stage, provisioned first; `options` are for its services."""
        gateway = GatewaySettings(
            mesh=self.mesh(GATEWAY),
            listen="127.0.0.1:0",
            master_key=self.master_key,
            webhooks=WebhookSettings(allowed_networks=(ip_network("127.0.0.0/8"),)),
        )
        async with AsyncExitStack() as stack:
            async with self.nats.provisioned():
                pass
            for slug in self.stages.keys() - {without}:
                await stack.enter_async_context(self.service(slug, **options))
            address = await stack.enter_async_context(serve_gateway(gateway))
            yield await stack.enter_async_context(Client(address))

    def service(self, slug: str, **options: Any) -> AbstractAsyncContextManager[str]:
        """A stage's service."""
        settings = GpuServiceSettings(mesh=self.mesh(slug), **options)
        return serve_stage(BINDINGS[slug], settings, self.stages[slug].opened)


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[Guarded]:
    """A mesh, not started, around a broker with the configuration that we generate."""
    server = GuardedNats(tmp_path, {GPU: BINDINGS.keys()})
    await server.start()
    yield Guarded(nats=server, folder=tmp_path, stages=empty_stages(chunks=2))
    await server.stop()
    assert server.violations() == []


async def subjects_in(broker: Broker, pattern: str) -> dict[str, int]:
    """The subjects of queued tasks that match."""
    info = await broker.jetstream.stream_info(subjects.TASKS, subjects_filter=pattern)
    return info.state.subjects or {}


def refused(logs: Iterable[Mapping[str, Any]]) -> list[object]:
    """What the broker refused to the parts of a mesh."""
    return [line for line in logs if line["event"] in ("broker.refused", "broker.not_let_in")]


async def recording() -> AsyncIterator[bytes]:
    """A recording that empty stages do not look at."""
    yield b"not empty"


async def finished(client: Client, **asked: Any) -> job.Job:
    """A job, from its submit to its end."""
    events = [told async for told in client.process(recording(), **ASKED, **asked)]
    return events[-1].finished.job


@pytest.mark.parametrize("encrypted", [False, True])
async def test_a_mesh_lives_on_the_rights_that_are_listed(
    guarded: Guarded, tmp_path: Path, encrypted: bool
) -> None:
    """Jobs that end well, fail, are tried again, cancelled, changed, replayed and removed."""
    if encrypted:
        guarded.master_key = written(tmp_path / "master.key", new_line())
    gate, failures = Gate(), iter([Code.UNAVAILABLE, Code.INVALID_ARGUMENT])

    async def fails_at_first(_: StageContext) -> None:
        if (code := next(failures, None)) is not None:
            raise StageError(code, Reason.AUDIO_CORRUPT, "Bad.")

    hook = [job.Webhook(url="http://127.0.0.1:9/hook", secret="s" * 20)]
    with capture_logs() as logs:
        async with guarded.running() as client:
            done = await finished(client, request_id="monday", webhooks=hook)
            assert done.state == job.JOB_STATE_COMPLETE
            await client.update_job(done.job_id, display_name="another")
            guarded.stages["asr"].hook = fails_at_first
            failed = await finished(client)
            assert failed.state == job.JOB_STATE_FAILED
            (letter,) = [each async for each in client.list_dead_letters()]
            await client.replay_dead_letter(letter.letter_id)
            assert [told async for told in client.watch_job(failed.job_id)]
            guarded.stages["preprocess"].hook = gate
            running = await client.create_job(recording(), **ASKED)
            await until(lambda: len(guarded.stages["preprocess"].runs) == 3)
            # Long enough for a heartbeat, which looks whether it is still wanted.
            await asyncio.sleep(1)
            assert (await client.cancel_job(running.job_id)).state == job.JOB_STATE_CANCELLED
            await until(lambda: guarded.stages["preprocess"].stopped)
            gate.opened.set()
            for job_id in (done.job_id, failed.job_id, running.job_id):
                await client.delete_job(job_id)
    assert refused(logs) == []
    assert {line["event"] for line in logs} >= {"job.removed", "webhook.failed"}


async def test_a_live_session_and_its_receivers_need_no_more(guarded: Guarded) -> None:
    async with Receiver().running() as receiver:
        events = (job.WEBHOOK_EVENT_LIVE_FINAL,)
        up = job.Webhook(url=receiver.url, secret=SECRET, events=events)
        down = job.Webhook(url="http://127.0.0.1:9/hook", secret=SECRET, events=events)
        with capture_logs() as logs:
            async with (
                guarded.running(without="asr") as client,
                guarded.nats.connected("asr") as broker,
                replica(broker, "asr-1"),
                talking(client.address) as talk,
            ):
                started = await talk.start(config(webhooks=[up, down]))
                await talk.audio("ann", said([1, 2, 3]))
                await talk.end()
                await receiver.wait_for(3)
                assert [told async for told in client.watch_job(started.session_id)]
                await client.delete_job(started.session_id)
    assert refused(logs) == []
    assert {line["event"] for line in logs} >= {"session.ended", "webhook.delivered", "job.removed"}


async def test_services_share_a_gpu_on_the_rights_that_are_listed(guarded: Guarded) -> None:
    shared: dict[str, Any] = {"residency": "shared-gpu", "gpu": GPU, "lease_seconds": 0.3}
    with capture_logs() as logs:
        async with guarded.running(**shared) as client:
            assert (await finished(client)).state == job.JOB_STATE_COMPLETE
    assert refused(logs) == []


async def test_a_drained_unit_and_an_unreadable_task_need_no_more(guarded: Guarded) -> None:
    guarded.stages["asr"].hook = gate = Gate()
    with capture_logs() as logs:
        async with guarded.running() as client:
            made = await client.create_job(recording(), **ASKED)
            async with guarded.nats.connected(GATEWAY) as broker:
                unreadable = subjects.task("asr", "none", "asr.0000")
                await broker.jetstream.publish(unreadable, b"\xff")
            await gate.reached.wait()
        # All workers were stopped, the one of asr in the middle of a unit, which it gave back.
        gate.opened.set()
        async with guarded.running() as client, asyncio.timeout(PATIENCE_SECONDS):
            events = [told async for told in client.watch_job(made.job_id)]
    assert events[-1].finished.job.state == job.JOB_STATE_COMPLETE
    assert refused(logs) == []
    assert "broker.unreadable" in {line["event"] for line in logs}


async def test_a_gateway_brings_back_a_lost_task_on_the_rights_that_are_listed(
    guarded: Guarded,
) -> None:
    options = ConductingOptions(
        policy=Policy(), max_running_jobs=8, reconcile_seconds=0.1, settled_seconds=0.0
    )
    with capture_logs() as logs:
        async with (
            guarded.running(without="asr") as client,
            guarded.nats.connected(GATEWAY) as broker,
        ):
            made = await client.create_job(recording(), **ASKED)
            queued = subjects.task("asr", made.job_id, ">")
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not await subjects_in(broker, queued):
                    await asyncio.sleep(0.02)
            await erase_all(broker, subjects.TASKS, queued)
            async with (
                conducting(broker, options),
                guarded.service("asr"),
                asyncio.timeout(PATIENCE_SECONDS),
            ):
                events = [told async for told in client.watch_job(made.job_id)]
    assert events[-1].finished.job.state == job.JOB_STATE_COMPLETE
    assert "reconciler.republished" in {line["event"] for line in logs}
    assert refused(logs) == []
