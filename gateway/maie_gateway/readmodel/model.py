"""The read model as the gateway uses it, off the loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

import structlog
from sqlalchemy import Connection

from maie.job.v1 import job_pb2 as job
from maie_core.errors import StageError
from maie_gateway.readmodel import pages, rows, search
from maie_gateway.readmodel.database import Database
from maie_gateway.readmodel.entries import JobEntry
from maie_gateway.readmodel.limits import check_filters
from maie_gateway.readmodel.moments import JobText
from maie_gateway.readmodel.reads import READ_THREADS, Deadline, Reads

log = structlog.get_logger()

ResultT = TypeVar("ResultT")


class ReadModel:
    """Jobs and their text in a database. Made by `open_read_model`.

    Whatever is written may be written again; what is older than what is there
    changes nothing.

    Raises:
        StageError: UNAVAILABLE with READ_MODEL_UNAVAILABLE.
    """

    def __init__(self, database: Database, thread: ThreadPoolExecutor, reads: Reads) -> None:
        self._database = database
        self._thread = thread
        self._reads = reads

    async def apply_all(self, entries: Iterable[JobEntry]) -> int:
        """Shows many jobs in one transaction; returns how many were not shown like that."""
        return await self._put_all(entries, rows.put_job)

    async def refresh_all(self, entries: Iterable[JobEntry]) -> None:
        """Shows jobs as they are by now, and none that is not shown: it may be gone."""
        await self._put_all(entries, rows.refresh_job)

    async def _put_all(
        self, entries: Iterable[JobEntry], put: Callable[[Connection, JobEntry], bool]
    ) -> int:
        # Always in the same order, so that gateways that write the same jobs do not deadlock.
        ordered = sorted(entries, key=lambda entry: entry.job_id)

        def put_all() -> int:
            with self._database.writing() as connection:
                return sum(put(connection, entry) for entry in ordered)

        return await self._run(put_all)

    async def index_texts(self, found: Sequence[JobText]) -> set[str]:
        """Makes jobs' texts the ones to be found, in one transaction.

        Returns:
            The ids of the jobs whose text it is now: not of those that have it
            already, nor of those whose shown record wants another version.
        """

        def put() -> set[str]:
            with self._database.writing() as connection:
                index = self._database.index
                return {text.job_id for text in found if rows.put_text(connection, index, text)}

        return await self._run(put)

    async def remove(self, job_id: str) -> None:
        """Forgets a job and its text. An absent one is no error."""

        def remove() -> None:
            with self._database.writing() as connection:
                rows.remove_job(connection, self._database.index, job_id)

        await self._run(remove)

    async def purge(self) -> bool:
        """Erases some removed data from the disk; returns whether there is more."""
        return await self._run(self._database.purge)

    async def clear(self) -> None:
        """Removes everything."""
        await self._run(self._database.clear)

    async def analyze(self) -> None:
        """Updates the statistics of the query planner."""
        await self._run(self._database.analyze)

    async def list_page(self, tenant: str, request: job.ListJobsRequest) -> job.ListJobsResponse:
        """A page of a tenant's jobs, newest first.

        Raises:
            StageError: As `check_filters`; INVALID_ARGUMENT with PAGE_TOKEN_INVALID
                or PAGE_SIZE_INVALID; DEADLINE_EXCEEDED with QUERY_TOO_SLOW;
                RESOURCE_EXHAUSTED with TOO_MANY_READS.
        """
        self.check_list(tenant, request)

        def read(deadline: Deadline) -> job.ListJobsResponse:
            with self._database.reading(deadline) as connection:
                return pages.list_page(connection, tenant, request)

        return await self._reads.run(tenant, read)

    def check_list(self, tenant: str, request: job.ListJobsRequest) -> None:
        """Validates a request like `list_page`, without reading the database."""
        check_filters(request)
        pages.asked_page(tenant, request)

    async def search(self, tenant: str, request: job.SearchJobsRequest) -> job.SearchJobsResponse:
        """A page of a tenant's jobs that hold all words of a query, best first.

        Raises:
            StageError: As `check_filters`; INVALID_ARGUMENT with QUERY_INVALID,
                PAGE_TOKEN_INVALID or PAGE_SIZE_INVALID; DEADLINE_EXCEEDED with QUERY_TOO_SLOW;
                RESOURCE_EXHAUSTED with TOO_MANY_READS.
        """
        self.check_search(tenant, request)

        def read(deadline: Deadline) -> job.SearchJobsResponse:
            with self._database.reading(deadline) as connection:
                return search.search_page(connection, self._database.index, tenant, request)

        return await self._reads.run(tenant, read)

    def check_search(self, tenant: str, request: job.SearchJobsRequest) -> None:
        """Validates a request like `search`, without reading the database."""
        check_filters(request)
        search.asked_page(tenant, request)

    async def count(self, tenant: str | None = None) -> int:
        """How many jobs there are, of one tenant or of all."""

        def read() -> int:
            with self._database.reading() as connection:
                return rows.count(connection, tenant)

        return await self._run(read)

    async def count_by_tenant(self) -> dict[str, int]:
        """How many jobs each tenant has that has any."""

        def read() -> dict[str, int]:
            with self._database.reading() as connection:
                return rows.count_by_tenant(connection)

        return await self._run(read)

    async def revisions(self) -> dict[str, int]:
        """The revision that each job is shown in, by job id."""

        def read() -> dict[str, int]:
            with self._database.reading() as connection:
                return rows.revisions(connection)

        return await self._run(read)

    async def without_text(self, limit: int) -> list[str]:
        """Ids of finished jobs whose text is not indexed yet, the latest first."""

        def read() -> list[str]:
            with self._database.reading() as connection:
                return rows.without_text(connection, limit)

        return await self._run(read)

    async def _run(self, work: Callable[[], ResultT]) -> ResultT:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


@asynccontextmanager
async def open_read_model(url: str) -> AsyncIterator[ReadModel]:
    """A read model over a database, whose tables are made where they are missing.

    A gateway starts even if the database does not answer: each call tries it again.

    Args:
        url: As `ReadModelSettings.url`.

    Raises:
        StageError: FAILED_PRECONDITION with READ_MODEL_DRIVER_MISSING.
    """
    with (
        # One thread: SQLite has one writer.
        ThreadPoolExecutor(max_workers=1, thread_name_prefix="readmodel") as thread,
        ThreadPoolExecutor(READ_THREADS, thread_name_prefix="readmodel-read") as readers,
    ):
        loop = asyncio.get_running_loop()
        database = Database(url)
        try:
            await loop.run_in_executor(thread, database.prepare)
        except StageError as error:
            log.warning("readmodel.unavailable", database=database.name, reason=error.reason)
        try:
            yield ReadModel(database, thread, Reads(readers))
        finally:
            await loop.run_in_executor(thread, database.close)
