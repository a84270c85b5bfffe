"""A job that lasts as long as the request that made it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import structlog
from litestar import Request

from maie.job.v1 import job_pb2 as job
from maie_client import Client, ClientError
from maie_client.follow import Events
from maie_core.codes import Code
from maie_core.errors import StageError
from maie_core.reasons import Reason

log = structlog.get_logger()

Result = TypeVar("Result")


class OneOffJob:
    """A job whose only reader is the request that made it.

    At the end it is deleted with all of its data, which cancels it where it runs. One that is
    stored is kept, and cancelled where it runs.

    Args:
        client: Acts for who made it.
        job_id: The job.
        store: Whether it is kept.
    """

    def __init__(self, client: Client, job_id: str, *, store: bool) -> None:
        self.job_id = job_id
        self._client = client
        self._store = store
        self._ending: asyncio.Task[None] | None = None

    def events(self) -> Events:
        """The job's events, up to `finished`."""
        return self._client.watch_job(self.job_id)

    async def finished(self) -> job.Job:
        """Waits for the job's end, and returns it with its results.

        Raises:
            StageError: The job failed, or somebody cancelled it.
        """
        async for event in self.events():
            if event.HasField("finished"):
                return completed(event.finished.job)
        raise AssertionError("a job's events end with `finished`")

    async def end(self) -> None:
        """Deletes or cancels the job, once, and also where the caller is cancelled meanwhile."""
        if self._ending is None:
            self._ending = asyncio.create_task(self._end())
        await asyncio.shield(self._ending)

    async def _end(self) -> None:
        try:
            if self._store:
                await self._client.cancel_job(self.job_id)
            else:
                await self._client.delete_job(self.job_id)
        except ClientError as error:
            with structlog.contextvars.bound_contextvars(job=self.job_id):
                log.warning("one_off.job_kept", reason=error.reason)


def completed(ended: job.Job) -> job.Job:
    """A job that ended well.

    Raises:
        StageError: It failed, or somebody cancelled it.
    """
    if ended.state != job.JOB_STATE_COMPLETE:
        raise failure_of(ended)
    return ended


def failure_of(ended: job.Job) -> StageError:
    """Why a job that ended has no transcript."""
    if ended.failures:
        failure = ended.failures[0]
        # A worker of a later release may have reasons that are not known here.
        reason = Reason.__members__.get(failure.reason, Reason.INTERNAL)
        return StageError(Code(failure.code), reason, failure.message)
    return cancelled()


def cancelled() -> StageError:
    """The error where nobody works on a recording any more."""
    return StageError(
        Code.FAILED_PRECONDITION,
        Reason.REQUEST_CANCELLED,
        "The transcription was cancelled; send the recording again.",
    )


async def unless_left(request: Request, work: Coroutine[Any, Any, Result]) -> Result:
    """Waits for work of a request whose body is read; stops it where the client leaves.

    Raises:
        StageError: FAILED_PRECONDITION with REQUEST_CANCELLED: the client left.
    """
    working, leaving = asyncio.create_task(work), asyncio.create_task(_left(request))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise cancelled()
    finally:
        for task in (working, leaving):
            task.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
