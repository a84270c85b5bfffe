"""Makes jobs of recordings at URLs: each is fetched, and taken in like an upload."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator
from contextlib import aclosing

from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_core.caller import Caller
from maie_core.errors import StageError
from maie_core.reasons import Reason
from maie_gateway.fetching import refusals
from maie_gateway.fetching.source import Source, Sources
from maie_gateway.intake.submission import Submissions, source_digest
from maie_gateway.intake.upload import too_large
from maie_gateway.records.about import about
from maie_gateway.records.store import JobStore

# What ends an upload whose client is too slow; here, that is the URL's server.
_TOO_SLOW = frozenset({Reason.UPLOAD_IDLE, Reason.UPLOAD_TOO_SLOW, Reason.UPLOAD_TOO_LONG})


class Fetches:
    """Fetches recordings and makes jobs of them, each request id's only once.

    Args:
        enabled: Whether anything is fetched.
        sources: Opens URLs.
        store: The job records.
        submissions: Makes the jobs.
        max_bytes: How large a recording may be.
    """

    def __init__(
        self,
        *,
        enabled: bool,
        sources: Sources,
        store: JobStore,
        submissions: Submissions,
        max_bytes: int,
    ) -> None:
        self._enabled = enabled
        self._sources = sources
        self._store = store
        self._submissions = submissions
        self._max_bytes = max_bytes

    async def accept(
        self, caller: Caller, request: job.CreateJobFromUrlRequest, traceparent: str
    ) -> record.JobRecord:
        """Fetches a recording; when this returns, its job is stored durably.

        Returns:
            The record of the new job, or of the existing job with the same request id.

        Raises:
            StageError: As the contract says.
        """
        if not self._enabled:
            raise refusals.off()
        self._sources.check(request.url)
        if (known := await self._known(caller.tenant, request)) is not None:
            return known
        try:
            return await self._submissions.accept(
                self._parts(request),
                caller.tenant,
                traceparent,
                caller.limited_id,
                source=request.url,
            )
        except StageError as error:
            if error.reason in _TOO_SLOW:
                raise refusals.too_slow() from error
            raise

    async def _known(
        self, tenant: str, request: job.CreateJobFromUrlRequest
    ) -> record.JobRecord | None:
        """The job that an earlier call made of the same URL and config.

        Its recording is not fetched again, since a URL may work only once, or for an hour.
        """
        job_id = await self._submissions.known(tenant, request.config.request_id)
        if not job_id:
            return None
        stored = await self._store.get(job_id)
        if stored.record.source_sha256 != source_digest(job_id, request.url):
            return None
        config = await self._submissions.settled(tenant, request.config)
        config.filename = config.filename or stored.record.config.filename
        with about(stored.record):
            return await self._submissions.attached(stored, config, stored.record.recording)

    async def _parts(
        self, request: job.CreateJobFromUrlRequest
    ) -> AsyncGenerator[job.UploadPart, None]:
        """The recording as a client would upload it."""
        yield job.UploadPart(config=request.config)
        async with self._sources.open(request.url) as source:
            if source.size_bytes is not None and source.size_bytes > self._max_bytes:
                raise too_large(self._max_bytes)
            digest, size = hashlib.sha256(), 0
            async with aclosing(source.pieces()) as pieces:
                async for piece in pieces:
                    digest.update(piece)
                    size += len(piece)
                    yield job.UploadPart(audio=piece)
        config = _named(request.config, source)
        yield job.UploadPart(
            finish=job.UploadFinish(size_bytes=size, sha256=digest.hexdigest(), config=config)
        )


def _named(asked: job.JobConfig, source: Source) -> job.JobConfig:
    """The config with the name of the file, where the caller gave none."""
    config = job.JobConfig()
    config.CopyFrom(asked)
    config.filename = config.filename or source.filename
    return config
