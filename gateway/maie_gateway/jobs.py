"""JobService: recordings in, jobs and their events out."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import structlog
import uuid_utils

from maie.common.v1 import types_pb2 as common
from maie.event.v1 import event_pb2 as event
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import job_pb2_grpc
from maie.job.v1 import record_pb2 as record
from maie.summary.v1 import summary_pb2 as summary
from maie_gateway.admission import Admission, settled_config
from maie_gateway.conductor import accept, job_view
from maie_gateway.listing import list_page
from maie_gateway.loop import Conductor
from maie_gateway.results import Results
from maie_gateway.store import JobStore
from maie_gateway.upload import UploadLimits, first_config, receive_audio
from maie_gateway.watch import Watch
from maie_runtime.blobs import Blobs
from maie_runtime.broker import Broker, broker_unavailable
from maie_runtime.errors import StageError, invalid
from maie_templates import TemplateLibrary

log = structlog.get_logger()

PIPELINE_VERSION = version("maie-gateway")
_JOB_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class JobService(job_pb2_grpc.JobServiceServicer):
    """Answers maie.job.v1.JobService."""

    def __init__(
        self,
        *,
        broker: Broker,
        blobs: Blobs,
        store: JobStore,
        conductor: Conductor,
        results: Results,
        watch: Watch,
        admission: Admission,
        templates: TemplateLibrary,
        limits: UploadLimits,
    ) -> None:
        self._broker = broker
        self._blobs = blobs
        self._store = store
        self._conductor = conductor
        self._results = results
        self._watch = watch
        self._admission = admission
        self._templates = templates
        self._limits = limits

    async def ProcessAudio(
        self, request_iterator: AsyncIterator[job.ProcessAudioRequest], context: Any
    ) -> AsyncGenerator[job.ProcessAudioResponse, None]:
        """Takes a recording and follows its job to the end."""
        accepted = await self._accept(
            (message.upload async for message in request_iterator), _traceparent(context)
        )
        async with aclosing(self._watch.events(accepted.job_id)) as events:
            async for told in events:
                yield job.ProcessAudioResponse(event=told)

    async def CreateJob(
        self, request_iterator: AsyncIterator[job.CreateJobRequest], context: Any
    ) -> job.CreateJobResponse:
        """Takes a recording and returns once its job is accepted."""
        accepted = await self._accept(
            (message.upload async for message in request_iterator), _traceparent(context)
        )
        return job.CreateJobResponse(job=job_view(accepted))

    async def GetJob(self, request: job.GetJobRequest, context: Any) -> job.GetJobResponse:
        """Gives a job with its results as far as they are there."""
        stored = await self._store.get(_checked(request.job_id))
        return job.GetJobResponse(job=await self._results.job(stored.record))

    async def ListJobs(self, request: job.ListJobsRequest, context: Any) -> job.ListJobsResponse:
        """Lists jobs, newest first."""
        return await list_page(self._store, request)

    async def WatchJob(
        self, request: job.WatchJobRequest, context: Any
    ) -> AsyncGenerator[job.WatchJobResponse, None]:
        """Replays a job's events from a sequence and follows it to its end."""
        watching = self._watch.events(_checked(request.job_id), request.after_sequence)
        async with aclosing(watching) as events:
            async for told in events:
                yield job.WatchJobResponse(event=told)

    async def CancelJob(self, request: job.CancelJobRequest, context: Any) -> job.CancelJobResponse:
        """Cancels a job that is not finished."""
        cancel = event.StageEvent(
            job_id=_checked(request.job_id), cancel_requested=event.CancelRequested()
        )
        cancelled = await self._conductor.take(request.job_id, [cancel])
        return job.CancelJobResponse(job=job_view(cancelled))

    async def _accept(
        self, parts: AsyncGenerator[job.UploadPart, None], traceparent: str
    ) -> record.JobRecord:
        """Takes an upload; the job exists, durably, when this returns."""
        async with aclosing(parts):
            config = settled_config(await first_config(parts, self._limits))
            template = self._template(config)
            if not self._broker.connected:
                raise broker_unavailable()
            job_id = str(uuid_utils.uuid7())
            with self._admission.place():
                recording = await receive_audio(
                    parts, f"jobs/{job_id}/recording", self._blobs, self._limits
                )
                try:
                    step = accept(
                        job_id=job_id,
                        config=config,
                        recording=recording,
                        template=await self._snapshot(template),
                        template_sha256=template.sha256 if template else "",
                        pipeline_version=PIPELINE_VERSION,
                        traceparent=traceparent,
                        now=datetime.now(UTC),
                    )
                    await self._conductor.begin(step)
                except StageError:
                    await self._blobs.delete(recording.key)
                    raise
        log.info("job.accepted", job=step.record.job_id, bytes=step.record.recording.size_bytes)
        return step.record

    def _template(self, config: job.JobConfig) -> summary.Template | None:
        return self._templates.get(config.template_id).to_message() if config.template_id else None

    async def _snapshot(self, template: summary.Template | None) -> common.Blob | None:
        """Keeps a template as it is now, whatever becomes of its files."""
        return await self._blobs.put_message("templates", template) if template else None


def _traceparent(context: Any) -> str:
    """The caller's W3C trace context, where it sent one."""
    return str(dict(context.invocation_metadata() or ()).get("traceparent", ""))


def _checked(job_id: str) -> str:
    if not _JOB_ID.fullmatch(job_id):
        raise invalid(
            "JOB_ID_INVALID",
            "A job id is a UUID in lower case, as ProcessAudio and CreateJob give it.",
            field="job_id",
        )
    return job_id
