"""Makes a job of an upload, exactly once for each request id, even if a gateway dies."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from datetime import UTC, datetime
from importlib.metadata import version

import structlog
import uuid_utils

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_core.attributes import BYTES, JOB, TENANT
from maie_core.errors import Code, StageError
from maie_core.spans import span
from maie_gateway.conductor import Step, accept, lane
from maie_gateway.engine.fair_share import FairShare
from maie_gateway.engine.loop import Conductor
from maie_gateway.intake.added_features import AddedFeatures, no_added_features
from maie_gateway.intake.admission import Admission, Upload
from maie_gateway.intake.metrics import UploadMetrics
from maie_gateway.intake.pace import Pace, UploadLimits
from maie_gateway.intake.readings import store_text
from maie_gateway.intake.requests import Requests, check_same_submit
from maie_gateway.intake.snapshots import Snapshots
from maie_gateway.intake.submit_config import settled_config
from maie_gateway.intake.upload import check_same_request, first_config, receive_audio
from maie_gateway.records.changes import JobChanges
from maie_gateway.records.journal import StoredRecord
from maie_gateway.records.store import JobStore, RevisionConflictError
from maie_gateway.vault.data_keys import JobKeys
from maie_runtime import folders
from maie_runtime.blobs import Blobs
from maie_runtime.bus.broker import Broker, broker_unavailable
from maie_runtime.failpoints import failpoint

log = structlog.get_logger()

PIPELINE_VERSION = version("maie-gateway")

CheckConfig = Callable[[job.JobConfig], Awaitable[None]]


async def check_nothing(_: job.JobConfig) -> None:
    """Accepts any config."""


class Submissions:
    """Receives uploads and makes jobs of them.

    Args:
        broker: Must be connected before an upload is accepted, or soon be again.
        blobs: Stores the recordings.
        store: The job records.
        changes: Notified of an existing job that a repeated submit returns.
        conductor: Begins jobs.
        fair_share: Decides whether a new job is held.
        requests: Maps request ids to jobs.
        admission: Limits jobs and uploads.
        snapshots: Stores the templates of summaries.
        limits: The limits on one upload.
        keys: Makes the key of a job that is encrypted.
        check: Further checks of a config.
        added: Says what a job has besides what its config asks for.
    """

    def __init__(
        self,
        *,
        broker: Broker,
        blobs: Blobs,
        store: JobStore,
        changes: JobChanges,
        conductor: Conductor,
        fair_share: FairShare,
        requests: Requests,
        admission: Admission,
        snapshots: Snapshots,
        limits: UploadLimits,
        metrics: UploadMetrics,
        keys: JobKeys,
        check: CheckConfig = check_nothing,
        added: AddedFeatures = no_added_features,
    ) -> None:
        self._broker = broker
        self._blobs = blobs
        self._store = store
        self._changes = changes
        self._conductor = conductor
        self._fair_share = fair_share
        self._requests = requests
        self._admission = admission
        self._snapshots = snapshots
        self._limits = limits
        self._metrics = metrics
        self._keys = keys
        self._check = check
        self._added = added

    async def accept(
        self,
        parts: AsyncGenerator[job.UploadPart, None],
        tenant: str,
        traceparent: str,
        key: str = "",
        job_id: str = "",
        pace: Pace | None = None,
        source: str = "",
    ) -> record.JobRecord:
        """Receives an upload; when this returns, its job is stored durably.

        Args:
            parts: The upload.
            tenant: Whose job it becomes.
            traceparent: The trace of the call.
            key: The key or token that sends it; empty where none is limited.
            job_id: The id that the job gets, unless its request id has one; empty: a new one.
            pace: How slow the upload may be; as the limits say where unset.
            source: The URL that the recording comes from; empty where a client uploads it.

        Returns:
            The record of the new job, or of the existing job with the same request id, or of
            `job_id`.
        """
        pace = pace or Pace(self._limits)
        async with aclosing(parts):
            # Checked before the upload, so that nobody sends a recording in vain.
            config = await self.settled(tenant, await first_config(parts, pace))
            if not await self._broker.until_connected():
                raise broker_unavailable()
            known = await self.known(tenant, config.request_id, job_id)
            # A job that exists already needs no second slot.
            submit = "" if known else config.request_id or str(uuid_utils.uuid7())
            with self._admission.upload(tenant, submit, pace, key) as upload:
                # Several calls may make the job of one id.
                prefix_of = _unique_prefix if config.request_id or job_id else _prefix
                job_id = known or await self._new_job(tenant, config.request_id, job_id)
                await failpoint("submission.after_bind")
                with structlog.contextvars.bound_contextvars(job=job_id, tenant=tenant):
                    recording, config = await self._receive(
                        parts, tenant, job_id, prefix_of(job_id), config, pace
                    )
                    await failpoint("submission.after_upload")
                    if known:
                        return await self._attach(job_id, config, recording)
                    await self._complete(upload, job_id, recording)
                    return await self._begin(job_id, config, recording, tenant, traceparent, source)

    async def settled(self, tenant: str, asked: job.JobConfig) -> job.JobConfig:
        """The config with defaults filled in, and checked.

        Raises:
            StageError: As `settled_config` and the checks of this gateway.
        """
        config = settled_config(asked)
        if config.template_id:
            await self._snapshots.check(tenant, config.template_id)
        await self._check(config)
        return config

    async def _receive(
        self,
        parts: AsyncGenerator[job.UploadPart, None],
        tenant: str,
        job_id: str,
        prefix: str,
        first: job.JobConfig,
        pace: Pace,
    ) -> tuple[common.Blob, job.JobConfig]:
        """The stored recording, and the config that counts: the last one."""
        config = first

        async def settle(finish: job.UploadFinish) -> None:
            nonlocal config
            if finish.HasField("config"):
                check_same_request(first, finish.config)
                config = await self.settled(tenant, finish.config)

        most = self._limits.max_bytes
        with span(self._broker.tracer, "maie.upload", {JOB: job_id}) as upload:
            recording = await receive_audio(
                parts, prefix, self._blobs, pace, most, self._metrics, settle
            )
            upload.set_attribute(BYTES, recording.size_bytes)
        return recording, config

    async def _complete(self, upload: Upload, job_id: str, recording: common.Blob) -> None:
        try:
            self._admission.complete(upload, job_id)
        except StageError:
            await self._blobs.delete(recording.key)
            raise

    async def known(self, tenant: str, request_id: str, job_id: str = "") -> str:
        """The id of the existing job of a request id or an id; empty where there is none."""
        if request_id:
            job_id = await self._requests.find(tenant, request_id)
        return job_id if job_id and await self._store.exists(job_id) else ""

    async def _new_job(self, tenant: str, request_id: str, job_id: str) -> str:
        """The id of a new job, whose key is made; every submit of a request id gets the same."""
        job_id = job_id or str(uuid_utils.uuid7())
        if request_id:
            job_id = await self._requests.bind(tenant, request_id, job_id)
        await self._keys.make(job_id)
        return job_id

    async def _begin(
        self,
        job_id: str,
        config: job.JobConfig,
        recording: common.Blob,
        tenant: str,
        traceparent: str,
        source: str,
    ) -> record.JobRecord:
        try:
            blob, template = await self._snapshots.store(tenant, job_id, config.template_id)
            reading_options, kept = await store_text(self._blobs, job_id, config)
            step = accept(
                job_id=job_id,
                config=kept,
                recording=recording,
                template=blob,
                template_sha256=template.sha256,
                template_version=template.version,
                pipeline_version=PIPELINE_VERSION,
                traceparent=traceparent,
                now=datetime.now(UTC),
                tenant=tenant,
                held=self._fair_share.must_wait(tenant, lane(record.JobRecord(config=config))),
                asr_slots=self._conductor.policy.window.get(common.STAGE_ASR, 0),
                source_sha256=source_digest(job_id, source) if source else "",
                reading_options=reading_options,
                added_features=self._added(config),
            )
            with span(self._broker.tracer, "maie.submit", {JOB: job_id, TENANT: tenant}):
                await self._conductor.begin(step)
            await failpoint("submission.after_begin")
        except RevisionConflictError:
            return await self._attach(job_id, config, recording)
        except StageError as error:
            # Where the connection failed, the broker may have stored the record. If it
            # did not, the sweep removes the recording.
            if error.code is not Code.UNAVAILABLE:
                await self._blobs.delete(recording.key)
            raise
        return self._accepted(step)

    def _accepted(self, step: Step) -> record.JobRecord:
        new = step.record
        log.info(
            "job.accepted",
            bytes=new.recording.size_bytes,
            held=new.held,
        )
        return new

    async def _attach(
        self, job_id: str, config: job.JobConfig, recording: common.Blob
    ) -> record.JobRecord:
        """Returns the existing job of the request id, in place of one of this upload."""
        await self._blobs.delete(recording.key)
        return await self.attached(await self._store.get(job_id), config, recording)

    async def attached(
        self, to: StoredRecord, config: job.JobConfig, recording: common.Blob
    ) -> record.JobRecord:
        """The job that a repeated submit has become before.

        Raises:
            StageError: The submit is not the same; see `check_same_submit`.
        """
        self._changes.note(to)
        secrets = await self._store.webhook_secrets(to.record)
        check_same_submit(to.record, secrets, config, recording)
        log.info("job.attached")
        return to.record


def source_digest(job_id: str, url: str) -> str:
    """What a record has in place of the URL of its recording, which may hold a key."""
    return hashlib.sha256(f"{job_id}\n{url}".encode()).hexdigest()


def _prefix(job_id: str) -> str:
    """The prefix of the key of a recording that is uploaded once."""
    return f"{folders.of_job(job_id)}/recording"


def _unique_prefix(job_id: str) -> str:
    """The prefix of the key of a recording that may be uploaded several times for one job."""
    return f"{folders.of_uploads(job_id)}/{uuid_utils.uuid7()}"
