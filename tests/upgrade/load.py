"""Jobs that are submitted one after another while the parts of a mesh are replaced."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path

from maie.job.v1 import job_pb2 as job
from maie_client import Client, ClientError

FEATURES = ("raw_transcript", "clean_transcript", "summary")
TEMPLATE = "meeting_notes_v1"
AT_ONCE = 2
RETRY_SECONDS = 0.2
# Longer than anything takes here: what stalls is noticed by `moving`.
PATIENCE = timedelta(hours=1)


class Load:
    """Keeps jobs in work.

    Args:
        clients: A client of each gateway, which take turns.
        recording: What the jobs are of.

    Attributes:
        accepted: The jobs whose ids were given out.
        done: The jobs that ended, in the order of their ends.
    """

    def __init__(self, clients: Sequence[Client], recording: Path) -> None:
        self._clients = clients
        self._recording = recording
        self._numbers = count()
        self.accepted: list[str] = []
        self.done: list[job.Job] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Submits jobs within the block, and waits for the ends of all when it is left."""
        stopping = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(self._keep_on(stopping))
            try:
                yield
            finally:
                stopping.set()

    async def goes_on(self) -> None:
        """Waits until a job that is submitted from now on has ended, and all before it."""
        known = set(self.accepted)
        while not known < {each.job_id for each in self.done}:
            await asyncio.sleep(0.05)

    async def _keep_on(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            number = next(self._numbers)
            submitter, watcher = (
                self._clients[(number + shift) % len(self._clients)] for shift in (0, 1)
            )
            job_id = await self._submit(submitter, f"request-{number}")
            self.done.append(await _end_of(watcher, job_id))

    async def _submit(self, client: Client, request_id: str) -> str:
        """Submits a job until it is accepted, as a client does whose gateway is replaced."""
        while True:
            try:
                created = await client.create_job(
                    self._recording, features=FEATURES, template_id=TEMPLATE, request_id=request_id
                )
            except ClientError as error:
                if not error.is_break:
                    raise
                await asyncio.sleep(RETRY_SECONDS)
            else:
                self.accepted.append(created.job_id)
                return created.job_id


async def _end_of(client: Client, job_id: str) -> job.Job:
    """Watches a job to its end, and asserts that no event was missed or repeated."""
    events = [event async for event in client.watch_job(job_id)]
    sequences = [event.sequence for event in events if event.sequence]
    assert sequences == list(range(1, len(sequences) + 1))
    return events[-1].finished.job
