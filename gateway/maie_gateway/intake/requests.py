"""Request ids: a submit that is sent again gives the job that it gave before."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import BROKER_ERRORS, Broker, broker_unavailable
from maie_runtime.bus.errors import KeyNotFoundError, KeyWrongLastSequenceError
from maie_runtime.errors import Code, StageError
from maie_runtime.reasons import Reason


class Requests:
    """Which job each request id of each tenant stands for.

    An id is bound to a job's id before the job exists, by compare-and-set, and
    stays bound to it. Whoever submits under the request id, at any gateway,
    tries to create that one job, and its record can be created only once; so
    it does not matter who dies in between.

    Raises:
        StageError: UNAVAILABLE with BROKER_UNAVAILABLE.
    """

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def find(self, tenant: str, request_id: str) -> str:
        """The id of the job that a request id stands for; empty where it is new."""
        with _broker_errors():
            try:
                entry = await self._broker.requests.get(_key(tenant, request_id))
            except KeyNotFoundError:
                return ""
        return (entry.value or b"").decode()

    async def bind(self, tenant: str, request_id: str, job_id: str) -> str:
        """Binds a request id to a job's id, unless it is bound already.

        Returns:
            The id of the job that the request id stands for from now on.
        """
        while True:
            if bound := await self.find(tenant, request_id):
                return bound
            with _broker_errors():
                try:
                    await self._broker.requests.create(_key(tenant, request_id), job_id.encode())
                except (KeyWrongLastSequenceError, KeyNotFoundError):
                    continue  # somebody else was quicker, or it was just forgotten
            return job_id

    async def forget(self, tenant: str, request_id: str, job_id: str) -> None:
        """Forgets a request id, unless it stands for another job by now."""
        if await self.find(tenant, request_id) != job_id:
            return
        with _broker_errors():
            await self._broker.jetstream.purge_stream(
                subjects.bucket_stream(subjects.REQUESTS),
                subject=subjects.bucket_subject(subjects.REQUESTS, _key(tenant, request_id)),
            )


def check_same_submit(
    stored: record.JobRecord,
    secrets: Sequence[str],
    config: job.JobConfig,
    recording: common.Blob,
) -> None:
    """Refuses a request id that was used for something else.

    Args:
        stored: The job that the request id stands for.
        secrets: Those of its webhooks.
        config: What is asked for now, with defaults filled in.
        recording: What was uploaded now.

    Raises:
        StageError: ALREADY_EXISTS with REQUEST_ID_REUSED.
    """
    whole = job.JobConfig()
    whole.CopyFrom(stored.config)
    for webhook, secret in zip(whole.webhooks, secrets, strict=True):
        webhook.secret = secret
    before = (whole, stored.recording.size_bytes, stored.recording.sha256)
    if before != (config, recording.size_bytes, recording.sha256):
        raise StageError(
            Code.ALREADY_EXISTS,
            Reason.REQUEST_ID_REUSED,
            f"This request id stands for job {stored.job_id}, which has another recording or "
            "config; use a new id for each submit.",
            field="config.request_id",
        )


def _key(tenant: str, request_id: str) -> str:
    return f"{tenant}.{hashlib.sha256(request_id.encode()).hexdigest()}"


@contextmanager
def _broker_errors() -> Iterator[None]:
    try:
        yield
    except (KeyWrongLastSequenceError, KeyNotFoundError):
        raise
    except BROKER_ERRORS as error:
        raise broker_unavailable() from error
