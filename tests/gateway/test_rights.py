"""Each part of a mesh works with the rights that are listed for it, and with no other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import nats
import pytest
from nats.aio.client import Client as NatsClient
from structlog.testing import capture_logs

from maie.job.v1 import job_pb2 as job
from maie_client import Client
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_core.settings import GpuServiceSettings, MeshSettings
from maie_gateway.conductor import Policy
from maie_gateway.engine.wiring import ConductingOptions, conducting
from maie_gateway.records.erasing import erase_all
from maie_gateway.server import serve_gateway
from maie_gateway.settings import GatewaySettings
from maie_gateway.webhooks import WebhookSettings
from maie_pipeline.bindings import BINDINGS
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker, open_broker
from maie_runtime.bus.provision import open_provisioned_broker
from maie_runtime.bus.rights import GATEWAY, PROVISION, Right, Use, parts
from maie_runtime.worker.server import serve_stage
from maie_runtime.worker.stage import StageContext
from tests.conftest import NatsServer, free_port
from tests.empty_stages import EmptyStage, empty_stages
from tests.gateway.live.conversation import config, talking
from tests.gateway.live.loud_asr import replica
from tests.gateway.live.speech import said
from tests.gateway.webhooks.receiver import SECRET, Receiver
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.mesh

ASKED: dict[str, Any] = {
    "features": ("raw_transcript", "clean_transcript", "summary"),
    "template_id": "meeting_notes_v1",
}
GPU = "test/0"
PASSWORD = "pw"


def _quoted(texts: Iterable[str]) -> str:
    return ", ".join(f'"{text}"' for text in texts)


def user(part: str, rights: tuple[Right, ...]) -> str:
    """A user of nats-server that may do what is listed, and nothing else."""
    subscribes = [right.subject for right in rights if right.use is Use.SUBSCRIBE]
    publishes = [right.subject for right in rights if right.use is not Use.SUBSCRIBE]
    return f"""{{ user: {part}, password: {PASSWORD}, permissions: {{
        publish: {{ allow: [{_quoted(publishes)}] }}
        subscribe: {{ allow: [{_quoted([f"{subjects.inbox(part)}.>", *subscribes])}] }} }} }}
    """


@dataclass(kw_only=True)
class Guarded:
    """A mesh whose broker allows each part what is listed for it.

    Attributes:
        nats: The broker.
        folder: Where blobs are.
        stages: The stages by slug.
    """

    nats: NatsServer
    folder: Path
    stages: dict[str, EmptyStage]

    def url(self, part: str) -> str:
        """The broker's address, with a part's credentials."""
        return f"nats://{part}:{PASSWORD}@127.0.0.1:{self.nats.port}"

    def mesh(self, part: str) -> MeshSettings:
        """A part's settings."""
        return MeshSettings(
            nats_url=self.url(part),
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
            webhooks=WebhookSettings(allowed_networks=(ip_network("127.0.0.0/8"),)),
        )
        async with AsyncExitStack() as stack:
            async with provisioned(self):
                pass
            for slug in self.stages.keys() - {without}:
                await stack.enter_async_context(self.service(slug, **options))
            address = await stack.enter_async_context(serve_gateway(gateway))
            yield await stack.enter_async_context(Client(address))

    def service(self, slug: str, **options: Any) -> AbstractAsyncContextManager[str]:
        """A stage's service."""
        settings = GpuServiceSettings(mesh=self.mesh(slug), **options)
        return serve_stage(BINDINGS[slug], settings, self.stages[slug].opened)

    async def connect(self, part: str, refusals: list[str]) -> NatsClient:
        """A connection as a part has it; what is refused goes into the list."""

        async def note(error: Exception) -> None:
            refusals.append(str(error).lower())

        return await nats.connect(self.url(part), inbox_prefix=subjects.inbox(part), error_cb=note)


def provisioned(guarded: Guarded) -> AbstractAsyncContextManager[Broker]:
    """The broker as `maie provision` leaves it."""
    return open_provisioned_broker(
        guarded.url(PROVISION), PROVISION, inbox=subjects.inbox(PROVISION)
    )


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[Guarded]:
    """A mesh, not started, around a broker that grants the listed rights."""
    config = tmp_path / "nats.conf"
    users = "".join(user(part, rights) for part, rights in parts(GPU).items())
    config.write_text(f"authorization {{ users: [ {users} ] }}\n")
    server = NatsServer(port=free_port(), store=tmp_path / "jetstream", config=config)
    await server.start()
    yield Guarded(nats=server, folder=tmp_path, stages=empty_stages(chunks=2))
    await server.stop()


async def subjects_in(broker: Broker, pattern: str) -> dict[str, int]:
    """The subjects of queued tasks that match."""
    info = await broker.jetstream.stream_info(subjects.TASKS, subjects_filter=pattern)
    return info.state.subjects or {}


def refused(logs: Iterable[Mapping[str, Any]]) -> list[object]:
    """What the broker refused to the parts of a mesh."""
    return [line for line in logs if "violation" in str(line.get("error", "")).lower()]


async def recording() -> AsyncIterator[bytes]:
    """A recording that empty stages do not look at."""
    yield b"not empty"


async def finished(client: Client, **asked: Any) -> job.Job:
    """A job, from its submit to its end."""
    events = [told async for told in client.process(recording(), **ASKED, **asked)]
    return events[-1].finished.job


async def test_a_mesh_lives_on_the_rights_that_are_listed(guarded: Guarded) -> None:
    """Jobs that end well, fail, are tried again, cancelled, changed, replayed and removed."""
    hold, failures = asyncio.Event(), iter([Code.UNAVAILABLE, Code.INVALID_ARGUMENT])

    async def fails_at_first(_: StageContext) -> None:
        if (code := next(failures, None)) is not None:
            raise StageError(code, Reason.AUDIO_CORRUPT, "Bad.")

    async def waits(_: StageContext) -> None:
        await hold.wait()

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
            guarded.stages["preprocess"].hook = waits
            running = await client.create_job(recording(), **ASKED)
            await until(lambda: len(guarded.stages["preprocess"].runs) == 3)
            # Long enough for a heartbeat, which looks whether it is still wanted.
            await asyncio.sleep(1)
            assert (await client.cancel_job(running.job_id)).state == job.JOB_STATE_CANCELLED
            await until(lambda: guarded.stages["preprocess"].stopped)
            hold.set()
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
                open_broker(guarded.url("asr"), "asr", inbox=subjects.inbox("asr")) as broker,
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
    begun, over = asyncio.Event(), asyncio.Event()

    async def waits(_: StageContext) -> None:
        begun.set()
        await over.wait()

    guarded.stages["asr"].hook = waits
    with capture_logs() as logs:
        async with guarded.running() as client:
            made = await client.create_job(recording(), **ASKED)
            gateway = await guarded.connect(GATEWAY, [])
            await gateway.jetstream().publish(subjects.task("asr", "none", "asr.0000"), b"\xff")
            await begun.wait()
            await gateway.close()
        # All workers were stopped, the one of asr in the middle of a unit, which it gave back.
        over.set()
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
            open_broker(guarded.url(GATEWAY), GATEWAY, inbox=subjects.inbox(GATEWAY)) as broker,
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


JOBS = subjects.bucket_stream(subjects.JOBS)
FOREIGN = (
    # Of job records, in any way.
    subjects.direct_get(JOBS, subjects.bucket_subject(subjects.JOBS, "some-job")),
    subjects.direct_get(JOBS),
    f"$JS.API.STREAM.MSG.GET.{JOBS}",
    f"$JS.API.CONSUMER.CREATE.{JOBS}",
    subjects.bucket_subject(subjects.JOBS, "some-job"),
    # Of what clients call their jobs, of webhooks and requests.
    f"$JS.API.STREAM.MSG.GET.{subjects.NAMES}",
    subjects.webhook("some-job", "0"),
    subjects.bucket_subject(subjects.REQUESTS, "tenant.id"),
    # Of another stage.
    f"$JS.API.CONSUMER.MSG.NEXT.{subjects.TASKS}.summary-batch",
    f"$JS.ACK.{subjects.TASKS}.summary-batch.1.1.1.1.0",
    subjects.direct_get(subjects.TASKS, subjects.task("summary", "some-job", "summary.reduce")),
    subjects.direct_get(subjects.TASKS),
    subjects.event("summary", "some-job"),
    subjects.dead_letter("summary", "some-job"),
    subjects.bucket_subject(subjects.WORKERS, "summary.one"),
    # Of gateways.
    subjects.event("job", "some-job"),
    subjects.task("asr", "some-job", "asr.0000"),
    subjects.cancel("some-job"),
    # Of provisioning and of operators.
    f"$JS.API.STREAM.CREATE.{subjects.TASKS}",
    f"$JS.API.STREAM.INFO.{subjects.TASKS}",
    f"$JS.API.STREAM.PURGE.{subjects.TASKS}",
    f"$JS.API.STREAM.DELETE.{subjects.TASKS}",
    f"$JS.API.CONSUMER.DURABLE.CREATE.{subjects.TASKS}.asr-batch",
    "$JS.API.INFO",
    f"{subjects.inbox('summary')}.x",
)
FOREIGN_TO_HEAR = (
    ">",
    "$KV.>",
    subjects.tasks_of_stage("summary", "*"),
    subjects.event("*", "*"),
    subjects.progress("*"),
    f"{subjects.inbox('summary')}.>",
)


async def test_a_worker_is_refused_all_that_is_not_its_own(guarded: Guarded) -> None:
    refusals: list[str] = []
    client = await guarded.connect("asr", refusals)
    for subject in FOREIGN:
        await client.publish(subject, b"{}")
    for subject in FOREIGN_TO_HEAR:
        await client.subscribe(subject)
    await client.flush()
    await until(lambda: len(refusals) >= len(FOREIGN) + len(FOREIGN_TO_HEAR))
    # nats-py gives the server's words in lower case.
    for kind, foreign in (("publish", FOREIGN), ("subscription", FOREIGN_TO_HEAR)):
        for subject in foreign:
            named = f'"{subject.lower()}"'
            assert any(kind in told and named in told for told in refusals), subject
    await client.close()
