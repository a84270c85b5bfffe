"""Follows many jobs concurrently."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager

from rich.console import Console
from rich.live import Live
from rich.text import Text

from maie.job.v1 import job_pb2 as job
from maie_cli.board import Board, Row
from maie_cli.names import STATES
from maie_cli.views import LineView
from maie_client import Client, ClientError, StatusCode
from maie_core.reasons import Reason
from maie_pipeline.states import FINAL_STATES

# The most concurrent requests for jobs by id.
ASKED_AT_ONCE = 8
# The interval between requests for new jobs, which also check the gateway.
LOOK_SECONDS = 2.0
# The interval between redraws of the table.
DRAW_SECONDS = 0.25
UNFINISHED = [state for state in STATES if state not in FINAL_STATES]
UNREACHABLE = "the gateway does not answer; waiting for it, the jobs go on"

News = Callable[[], Awaitable[Iterable[job.Job]]]


class Together:
    """Follows jobs until each has ended, through restarts of the gateway.

    Args:
        client: The connection; open.
        console: The console for the output.
        table: Whether to show a live table, for a terminal; otherwise
            it prints a line for each change.
        finished: Called with each job and its results after its end.
    """

    def __init__(
        self,
        client: Client,
        console: Console,
        finished: Callable[[job.Job], None],
        *,
        table: bool,
    ) -> None:
        self._client = client
        self._console = console
        self._finished = finished
        self._board = Board()
        self._lines = None if table else LineView(console)

    async def follow(self, job_ids: Sequence[str]) -> list[Row]:
        """Follows these jobs; returns their final states.

        Raises:
            ClientError: NOT_FOUND for a missing job, before any is followed.
        """
        turn = asyncio.Semaphore(ASKED_AT_ONCE)

        async def ask(job_id: str) -> job.Job:
            async with turn:
                try:
                    return await self._client.get_job(job_id)
                except ClientError as error:
                    if error.reason == Reason.JOB_ID_INVALID:  # the message does not name the id
                        error.message = f"{job_id}: {error.message}"
                    raise

        jobs = await asyncio.gather(*(ask(job_id) for job_id in dict.fromkeys(job_ids)))
        return await self._follow_all(jobs, self._nothing_new)

    async def follow_running(self) -> list[Row]:
        """Follows all unfinished jobs, also new ones, until none is left."""
        return await self._follow_all(await self._unfinished(), self._unfinished)

    async def _follow_all(self, jobs: Iterable[job.Job], news: News) -> list[Row]:
        tasks: set[asyncio.Task[None]] = set()
        async with self._drawn():
            try:
                while True:
                    # A job that has ended here and is unfinished at the gateway was resumed.
                    new = [each for each in jobs if not self._board.follows(each.job_id)]
                    tasks |= {asyncio.create_task(self._follow(Row.of(each))) for each in new}
                    if not tasks:
                        return self._board.rows
                    ended, tasks = await asyncio.wait(
                        tasks, timeout=LOOK_SECONDS, return_when=asyncio.FIRST_EXCEPTION
                    )
                    for task in ended:
                        task.result()
                    jobs = await self._look(news)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self, row: Row) -> None:
        self._board.add(row)
        self._say(row, row.label)
        try:
            async with aclosing(self._client.watch_job(row.job_id)) as events:
                async for event in events:
                    self._apply(row, event)
        except ClientError:
            if not await self._is_gone(row.job_id):
                raise
            row.gone = True
            self._say(row, row.label)

    async def _is_gone(self, job_id: str) -> bool:
        try:
            await self._client.get_job(job_id)
        except ClientError as error:
            return error.reason == Reason.JOB_NOT_FOUND
        return False

    def _apply(self, row: Row, event: job.JobEvent) -> None:
        if self._lines is not None and not row.is_replay(event):
            self._lines.show(row.title, event)
        row.apply(event)
        if event.HasField("finished"):
            self._finished(event.finished.job)

    def _say(self, row: Row, what: str) -> None:
        if self._lines is not None:
            self._console.print(Text(f"{row.title}: {what}"), soft_wrap=True)

    async def _unfinished(self) -> Iterable[job.Job]:
        async with aclosing(self._client.list_jobs(states=UNFINISHED, page_size=1000)) as jobs:
            # The oldest first, as in the table.
            return reversed([each async for each in jobs])

    async def _nothing_new(self) -> Iterable[job.Job]:
        await self._client.health()
        return ()

    async def _look(self, news: News) -> Iterable[job.Job]:
        try:
            found = await news()
        except ClientError as error:
            if not error.is_break and error.code is not StatusCode.DEADLINE_EXCEEDED:
                raise
            self._board.trouble = (
                UNREACHABLE if error.reason == Reason.GATEWAY_UNREACHABLE else error.message
            )
            return ()
        self._board.trouble = ""
        return found

    @asynccontextmanager
    async def _drawn(self) -> AsyncIterator[None]:
        if self._lines is not None:
            yield
            return
        # Drawn in this event loop, so that no row changes meanwhile.
        with Live(self._board, console=self._console, auto_refresh=False) as live:
            drawing = asyncio.create_task(_draw(live))
            try:
                yield
            finally:
                drawing.cancel()
                await asyncio.gather(drawing, return_exceptions=True)
        if not self._board.fits(self._console):
            self._console.print(self._board.whole(self._console))


async def _draw(live: Live) -> None:
    while True:
        live.refresh()
        await asyncio.sleep(DRAW_SECONDS)
