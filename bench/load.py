"""A steady flow of jobs that do all that clients do, and leave in all the ways they leave."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Unpack

from aiohttp import web

from maie.job.v1 import job_pb2 as job
from maie_client import Client, ClientError
from maie_client.config import JobOptions

TEMPLATE = "meeting_notes_v1"
# What jobs asked for when figures were first taken; speakers have a graph of their own.
EVERYTHING = ("raw_transcript", "clean_transcript", "summary", "enhancement_metrics")
SECRET = "a secret of the receiver's own"
# How long a job may take on a busy machine before it counts as lost.
JOB_SECONDS = 120.0
RECORDING_SECONDS = 900.0
LIST_SECONDS = 1.0
JOBS_OF_A_LIST = 200


@dataclass(kw_only=True)
class Load:
    """Submits jobs to a gateway.

    Attributes:
        client: A client of the gateway.
        hook: The URL of the webhook.
        counts: The number of actions, by their names.
        wrong: The broken promises, one line each.
    """

    client: Client
    hook: str
    chance: random.Random = field(default_factory=lambda: random.Random(0))
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    async def flow(self, rate: float, seconds: float) -> None:
        """Submits jobs evenly, whatever became of those before, and waits for the last.

        Args:
            rate: Jobs a second.
            seconds: For how long.
        """
        ways = (
            (self._follow, 50),
            (self._come_back, 15),
            (self._on_a_new_connection, 5),
            (self._delete, 15),
            (self._cancel, 5),
            (self._submit_twice, 5),
            (self._tell, 5),
        )
        names, weights = zip(*ways, strict=True)
        started = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for number in range(int(rate * seconds)):
                await asyncio.sleep(max(0.0, started + number / rate - time.monotonic()))
                (way,) = self.chance.choices(names, weights)
                group.create_task(self._count(way))

    async def ask(self, seconds: float) -> None:
        """Lists, searches and looks at jobs and dead letters, over and over."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            await asyncio.sleep(LIST_SECONDS)
            await self._count(self._list)

    async def recordings(self, sample: Path, every: float, seconds: float) -> None:
        """Submits a real recording, and one that cannot be read, every so often."""
        deadline = time.monotonic() + seconds
        while time.monotonic() + every < deadline:
            await self._count(self._recording, sample, seconds=RECORDING_SECONDS)
            await self._count(self._unreadable, seconds=RECORDING_SECONDS)
            await asyncio.sleep(every)

    async def _count(
        self, way: Callable[..., Awaitable[None]], *given: object, seconds: float = JOB_SECONDS
    ) -> None:
        name = getattr(way, "__name__", "").strip("_").replace("_", " ")
        try:
            async with asyncio.timeout(seconds):
                await way(*given)
            self.counts[name] += 1
        except (ClientError, TimeoutError, AssertionError) as error:
            self.wrong.append(f"{name}: {str(error) or type(error).__name__}")

    async def _follow(self) -> None:
        await self._process(self.client)

    async def _on_a_new_connection(self) -> None:
        async with Client(self.client.address) as client:
            await self._process(client, interactive=True)

    async def _tell(self) -> None:
        hook = job.Webhook(url=self.hook, secret=SECRET)
        await self._process(self.client, webhooks=[hook])

    async def _come_back(self) -> None:
        """Leaves a job that is being followed, and watches the rest of it."""
        created = await self._create()
        last = 0
        async with aclosing(self.client.watch_job(created.job_id)) as events:
            async for event in events:
                last = event.sequence
                break
        await self._end(created.job_id, job.JOB_STATE_COMPLETE, last)

    async def _delete(self) -> None:
        created = await self._create()
        await self._end(created.job_id, job.JOB_STATE_COMPLETE)
        await self.client.delete_job(created.job_id)

    async def _cancel(self) -> None:
        created = await self._create()
        cancelled = await self.client.cancel_job(created.job_id)
        assert cancelled.state in (job.JOB_STATE_CANCELLED, job.JOB_STATE_COMPLETE)

    async def _submit_twice(self) -> None:
        name = str(uuid.uuid4())
        one, other = await asyncio.gather(
            self._create(request_id=name), self._create(request_id=name)
        )
        assert one.job_id == other.job_id
        await self._end(one.job_id, job.JOB_STATE_COMPLETE)

    async def _list(self) -> None:
        found = []
        async with aclosing(self.client.list_jobs(page_size=50)) as jobs:
            async for listed in jobs:
                found.append(listed.job_id)
                if len(found) == JOBS_OF_A_LIST:
                    break
        async with aclosing(self.client.search_jobs("chunk")) as hits:
            async for _ in hits:
                break
        async with aclosing(self.client.list_dead_letters()) as letters:
            async for _ in letters:
                break
        if found:
            await self._look(self.chance.choice(found))

    async def _look(self, job_id: str) -> None:
        try:
            await self.client.get_job(job_id)
        except ClientError as error:
            if error.reason != "JOB_NOT_FOUND":  # removed since it was listed
                raise

    async def _recording(self, sample: Path) -> None:
        state = None
        async for event in self.client.process(sample, features=EVERYTHING, template_id=TEMPLATE):
            state = event.finished.job.state if event.HasField("finished") else None
        assert state == job.JOB_STATE_COMPLETE, state

    async def _unreadable(self) -> None:
        created = await self._create()
        await self._end(created.job_id, job.JOB_STATE_FAILED)

    async def _create(self, **more: str) -> job.Job:
        options: JobOptions = {"features": EVERYTHING, "template_id": TEMPLATE}
        if "request_id" in more:
            options["request_id"] = more["request_id"]
        return await self.client.create_job(_bytes(), **options)

    async def _process(self, client: Client, **more: Unpack[JobOptions]) -> None:
        options: JobOptions = {"features": EVERYTHING, "template_id": TEMPLATE, **more}
        state = None
        async for event in client.process(_bytes(), **options):
            state = event.finished.job.state if event.HasField("finished") else None
        assert state == job.JOB_STATE_COMPLETE, state

    async def _end(self, job_id: str, expected: job.JobState, after: int = 0) -> None:
        state = None
        async for event in self.client.watch_job(job_id, after):
            if event.HasField("finished"):
                state = event.finished.job.state
        assert state == expected, state


@asynccontextmanager
async def webhook_receiver(counts: Counter[str]) -> AsyncIterator[str]:
    """A receiver on this machine, as its URL; it counts what comes."""

    async def accept(request: web.BaseRequest) -> web.StreamResponse:
        await request.read()
        counts["webhook received"] += 1
        return web.Response(status=204)

    runner = web.ServerRunner(web.Server(accept))
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        yield f"http://127.0.0.1:{port}/hook"
    finally:
        await runner.cleanup()


async def _bytes() -> AsyncIterator[bytes]:
    """A recording that empty stages do not look at, and real ones cannot read."""
    yield b"not empty"
