"""Request ids: a repeated submit returns the job of the first one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_gateway.intake.readings import is_same
from maie_gateway.records.bucket_errors import bucket_errors
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.errors import KeyNotFoundError, KeyWrongLastSequenceError


class Requests:
    """Maps each request id of each tenant to a job.

    A request id is bound to a job's id before the job exists, by compare-and-set,
    and stays bound to it. All submits with the request id, at any gateway, try to
    create that job, and its record can be created only once; so a gateway may die
    at any point.

    Raises:
        StageError: UNAVAILABLE with BROKER_UNAVAILABLE.
    """

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def find(self, tenant: str, request_id: str) -> str:
        """The id of the job of a request id; empty where it is new."""
        with bucket_errors():
            try:
                entry = await self._broker.requests.get(_key(tenant, request_id))
            except KeyNotFoundError:
                return ""
        return (entry.value or b"").decode()

    async def bind(self, tenant: str, request_id: str, job_id: str) -> str:
        """Binds a request id to a job's id, unless it is bound already.

        Returns:
            The id of the job that the request id is bound to.
        """
        while True:
            if bound := await self.find(tenant, request_id):
                return bound
            with bucket_errors():
                try:
                    await self._broker.requests.create(_key(tenant, request_id), job_id.encode())
                except (KeyWrongLastSequenceError, KeyNotFoundError):
                    # It is bound, by another gateway or by a write of ours that was not answered,
                    # or it was just forgotten.
                    continue
            return job_id

    async def forget(self, tenant: str, request_id: str, job_id: str) -> None:
        """Forgets a request id, unless it is bound to another job now."""
        if await self.find(tenant, request_id) != job_id:
            return
        with bucket_errors():
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
    """Refuses a request id that was used for another recording or config.

    Args:
        stored: The job of the request id.
        secrets: The secrets of its webhooks.
        config: The config of this submit, with defaults filled in.
        recording: The uploaded recording of this submit.

    Raises:
        StageError: ALREADY_EXISTS with REQUEST_ID_REUSED.
    """
    whole = job.JobConfig()
    whole.CopyFrom(stored.config)
    for webhook, secret in zip(whole.webhooks, secrets, strict=True):
        webhook.secret = secret
    before = (stored.recording.size_bytes, stored.recording.sha256)
    is_same_recording = before == (recording.size_bytes, recording.sha256)
    if not is_same_recording or not is_same(config, whole, stored.reading_options):
        raise StageError(
            Code.ALREADY_EXISTS,
            Reason.REQUEST_ID_REUSED,
            f"This request id belongs to job {stored.job_id}, which has another recording or "
            "config; use a new id for each submit.",
            field="config.request_id",
        )


def _key(tenant: str, request_id: str) -> str:
    return f"{tenant}.{hashlib.sha256(request_id.encode()).hexdigest()}"
