"""The client of a gateway."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from contextlib import aclosing
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self, Unpack

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from maie.catalog.v1 import catalog_pb2 as catalog
from maie.catalog.v1 import catalog_pb2_grpc as catalog_grpc
from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import job_pb2_grpc as job_grpc
from maie.summary.v1 import summary_pb2 as summary
from maie_client.channel import open_channel
from maie_client.config import JobOptions, job_config
from maie_client.errors import (
    ClientError,
    address_invalid,
    client_errors,
    not_a_gateway,
    tenant_invalid,
)
from maie_client.follow import Events, Heard, follow, stream_ended
from maie_client.text import sendable, sendable_labels
from maie_client.upload import Source, filename_of, send_upload

TENANT_KEY = "maie-tenant"
UNARY_TIMEOUT_SECONDS = 30.0
"""A gateway that takes longer for a plain question is not well."""
# HOST:PORT, or a name with a scheme that gRPC knows.
_ADDRESS = re.compile(r"(?!https?://)[!-~]*[^\s/]")


class Client:
    """Talks to a gateway; an asynchronous context manager.

    Args:
        address: HOST:PORT of the gateway.
        credentials: For TLS; a plain connection where unset.
        patience: How long a job is followed through a connection that does
            not come back.
        tenant: Whose jobs these are; the gateway's default tenant where empty.

    Every method raises ClientError: the gateway's refusal, or UNAVAILABLE
    with GATEWAY_UNREACHABLE where none answers.

    Example:
        async with Client("localhost:50051") as client:
            async for event in client.process("standup.flac", features=["clean_transcript"]):
                if event.HasField("finished"):
                    print(event.finished.job.results.clean_transcript)
    """

    def __init__(
        self,
        address: str = "localhost:50051",
        *,
        credentials: grpc.ChannelCredentials | None = None,
        patience: timedelta = timedelta(minutes=5),
        tenant: str = "",
    ) -> None:
        self.address = address
        self._tenant = tenant
        self._metadata = ((TENANT_KEY, tenant),) if tenant else ()
        self._credentials = credentials
        self._patience = patience

    async def __aenter__(self) -> Self:
        if not (self._tenant.isascii() and self._tenant.isprintable()):
            raise tenant_invalid()  # no metadata carries it to the gateway, which says the same
        if not (self.address.isascii() and _ADDRESS.fullmatch(self.address)):
            raise address_invalid(self.address)
        self._channel = open_channel(self.address, self._credentials)
        self._jobs = job_grpc.JobServiceStub(self._channel)
        self._catalog = catalog_grpc.CatalogServiceStub(self._channel)
        self._health: Any = health_pb2_grpc.HealthStub(self._channel)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._channel.close()

    async def process(self, source: Source, **options: Unpack[JobOptions]) -> Events:
        """Uploads a recording and yields what happens to its job, up to `finished`.

        Once the job is accepted, a connection that breaks is made again and
        nothing is missed. Whoever stops early closes the iterator
        (contextlib.aclosing); the job goes on.

        Raises:
            OSError: The file cannot be read.
        """
        heard = Heard()
        config = job_config(options, filename_of(source))
        try:
            async with aclosing(self._process_once(config, source)) as events:
                async for event in events:
                    if heard.is_new(event):
                        yield event
        except ClientError as error:
            if not (heard.job_id and error.is_break):
                raise
        if not heard.job_id:
            raise stream_ended()
        async with aclosing(follow(heard, self._watch_once, self._patience)) as events:
            async for event in events:
                yield event

    async def create_job(self, source: Source, **options: Unpack[JobOptions]) -> job.Job:
        """Uploads a recording and returns its job as soon as it is accepted.

        Raises:
            OSError: The file cannot be read.
        """
        config = job_config(options, filename_of(source))
        call = self._jobs.CreateJob(metadata=self._metadata)
        sending = asyncio.create_task(
            send_upload(call, lambda part: job.CreateJobRequest(upload=part), config, source)
        )
        try:
            with client_errors(self.address):
                return (await _received(call, sending)).job
        finally:
            await _stop(call, sending)

    async def get_job(self, job_id: str) -> job.Job:
        """Gives a job, with its results as far as they are there."""
        request = job.GetJobRequest(job_id=sendable(job_id))
        return (await self._ask(self._jobs.GetJob, request)).job

    async def list_jobs(
        self,
        *,
        states: Iterable[job.JobState] = (),
        labels: Mapping[str, str] | None = None,
        accepted_from: datetime | None = None,
        accepted_until: datetime | None = None,
        page_size: int = 50,
    ) -> AsyncGenerator[job.Job, None]:
        """Yields jobs, newest first and without results, page after page as they are asked for.

        Args:
            states: Only jobs in one of these; all where empty.
            labels: Only jobs with all of these.
            accepted_from: Only jobs accepted at this time or later.
            accepted_until: Only jobs accepted before this time.
            page_size: How many jobs one question asks for.
        """
        request = job.ListJobsRequest(
            states=states,
            labels=sendable_labels(labels or {}),
            accepted_from=accepted_from,
            accepted_until=accepted_until,
            page_size=page_size,
        )
        while True:
            page = await self._ask(self._jobs.ListJobs, request)
            for found in page.jobs:
                yield found
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def watch_job(self, job_id: str, after_sequence: int = 0) -> Events:
        """Yields a job's events after a sequence, through broken connections, up to `finished`."""
        heard = Heard(sendable(job_id), after_sequence)
        async with aclosing(follow(heard, self._watch_once, self._patience)) as events:
            async for event in events:
                yield event

    async def cancel_job(self, job_id: str) -> job.Job:
        """Cancels a job. A finished job stays as it is."""
        request = job.CancelJobRequest(job_id=sendable(job_id))
        return (await self._ask(self._jobs.CancelJob, request)).job

    async def retry_job(self, job_id: str) -> job.Job:
        """Takes up a failed or cancelled job where it stopped."""
        request = job.RetryJobRequest(job_id=sendable(job_id))
        return (await self._ask(self._jobs.RetryJob, request)).job

    async def update_job(
        self,
        job_id: str,
        *,
        display_name: str | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> job.Job:
        """Gives a job another name or labels; an empty value takes a label away."""
        request = job.UpdateJobRequest(
            job_id=sendable(job_id),
            display_name=None if display_name is None else sendable(display_name),
            labels=sendable_labels(labels or {}),
        )
        return (await self._ask(self._jobs.UpdateJob, request)).job

    async def delete_job(self, job_id: str) -> None:
        """Removes a job and all of its traces; cancels it first where it is in work."""
        await self._ask(self._jobs.DeleteJob, job.DeleteJobRequest(job_id=sendable(job_id)))

    async def search_jobs(
        self, query: str, *, page_size: int = 20
    ) -> AsyncGenerator[job.SearchHit, None]:
        """Yields the jobs in which words are found, best first, with the moments."""
        request = job.SearchJobsRequest(query=sendable(query), page_size=page_size)
        while True:
            page = await self._ask(self._jobs.SearchJobs, request)
            for hit in page.hits:
                yield hit
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def list_dead_letters(
        self, *, job_id: str = "", page_size: int = 50
    ) -> AsyncGenerator[job.DeadLetterEntry, None]:
        """Yields the units that were given up, newest first."""
        request = job.ListDeadLettersRequest(job_id=sendable(job_id), page_size=page_size)
        while True:
            page = await self._ask(self._jobs.ListDeadLetters, request)
            for letter in page.letters:
                yield letter
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def replay_dead_letter(self, letter_id: int) -> job.Job:
        """Tries a unit that was given up once more."""
        request = job.ReplayDeadLetterRequest(letter_id=letter_id)
        return (await self._ask(self._jobs.ReplayDeadLetter, request)).job

    async def list_models(
        self, stage: common.Stage = common.STAGE_UNSPECIFIED
    ) -> list[catalog.Model]:
        """Lists the models that workers hold, of one stage or of all."""
        request = catalog.ListModelsRequest(stage=stage)
        return list((await self._ask(self._catalog.ListModels, request)).models)

    async def list_templates(self) -> list[summary.Template]:
        """Lists the templates, without schema and prompt."""
        request = catalog.ListTemplatesRequest()
        return list((await self._ask(self._catalog.ListTemplates, request)).templates)

    async def get_template(self, template_id: str) -> summary.Template:
        """Gives a template with its schema and prompt."""
        request = catalog.GetTemplateRequest(template_id=sendable(template_id))
        return (await self._ask(self._catalog.GetTemplate, request)).template

    async def get_mesh(self) -> catalog.GetMeshResponse:
        """Tells how each part of the mesh is."""
        return await self._ask(self._catalog.GetMesh, catalog.GetMeshRequest())

    async def health(self, service: str = "") -> bool:
        """Whether the gateway, or one of its services, says that it is serving."""
        request = health_pb2.HealthCheckRequest(service=service)
        try:
            response = await self._ask(self._health.Check, request)
        except ClientError as error:
            if error.code is grpc.StatusCode.NOT_FOUND:  # it runs no such service
                raise not_a_gateway(self.address) from error
            raise
        return bool(response.status == health_pb2.HealthCheckResponse.SERVING)

    async def _ask(self, method: Callable[..., Any], request: object) -> Any:
        with client_errors(self.address):
            return await method(request, timeout=UNARY_TIMEOUT_SECONDS, metadata=self._metadata)

    async def _process_once(self, config: job.JobConfig, source: Source) -> Events:
        call = self._jobs.ProcessAudio(metadata=self._metadata)
        sending = asyncio.create_task(
            send_upload(
                call,
                lambda part: job.ProcessAudioRequest(upload=part),
                config,
                source,
            )
        )
        try:
            with client_errors(self.address):
                while (response := await _received(call.read(), sending)) is not grpc.aio.EOF:
                    yield response.event
        finally:
            await _stop(call, sending)

    async def _watch_once(self, heard: Heard) -> Events:
        request = job.WatchJobRequest(job_id=heard.job_id, after_sequence=heard.sequence)
        call = self._jobs.WatchJob(request, metadata=self._metadata)
        try:
            with client_errors(self.address):
                async for response in call:
                    yield response.event
        finally:
            call.cancel()  # an abandoned call is never collected


async def _received(answer: Awaitable[Any], sending: asyncio.Task[None]) -> Any:
    """Awaits an answer; where the upload itself failed, and so the call, raises that."""
    try:
        return await answer
    except asyncio.CancelledError:
        if not sending.done() or sending.cancelled():
            raise
        if failed := sending.exception():
            raise failed from None
        raise


async def _stop(call: Any, sending: asyncio.Task[None]) -> None:
    call.cancel()  # an abandoned call is never collected
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
