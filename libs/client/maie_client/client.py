"""The client of a gateway."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self, Unpack

import grpc
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2, health_pb2_grpc
from opentelemetry.trace import TracerProvider

from maie.access.v1 import access_pb2 as access
from maie.access.v1 import access_pb2_grpc as access_grpc
from maie.catalog.v1 import catalog_pb2 as catalog
from maie.catalog.v1 import catalog_pb2_grpc as catalog_grpc
from maie.common.v1 import types_pb2 as common
from maie.edit.v1 import edit_pb2_grpc as edit_grpc
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import job_pb2_grpc as job_grpc
from maie.live.v1 import live_pb2 as live_messages
from maie.live.v1 import live_pb2_grpc as live_grpc
from maie.share.v1 import share_pb2_grpc as share_grpc
from maie.speech.v1 import speech_pb2_grpc as speech_grpc
from maie.summary.v1 import summary_pb2 as summary
from maie.template.v1 import template_pb2_grpc as template_grpc
from maie.tenant.v1 import tenant_pb2_grpc as tenant_grpc
from maie.upload.v1 import upload_pb2_grpc as upload_grpc
from maie.voice.v1 import voice_pb2_grpc as voice_grpc
from maie_client.audit import Audit
from maie_client.channel import is_loopback
from maie_client.channels import Channels
from maie_client.config import JobOptions, job_config
from maie_client.credentials import CallMetadata, Token
from maie_client.download import AudioParts, save, stored_audio
from maie_client.errors import (
    ClientError,
    address_invalid,
    client_errors,
    not_a_gateway,
    tenant_invalid,
    token_unprotected,
)
from maie_client.filters import JobFilters, filter_fields
from maie_client.follow import EventCursor, Events, follow, stream_ended
from maie_client.keys import Keys
from maie_client.live.gateways import Gateways
from maie_client.live.options import LiveOptions, start_message
from maie_client.live.resume import ResumePoint
from maie_client.live.session import LiveSession
from maie_client.revisions import Revisions
from maie_client.shares import Shares
from maie_client.speech import Speech
from maie_client.streams import received, stop
from maie_client.templates import Templates
from maie_client.tenants import Tenants
from maie_client.text import sendable, sendable_labels
from maie_client.tls import SCHEME, Tls
from maie_client.tracing import Metadata, traced_call
from maie_client.upload import LateConfig, Source, filename_of, send_upload
from maie_client.uploads import Uploads
from maie_client.voices import Voices

UNARY_TIMEOUT_SECONDS = 30.0
"""The timeout of simple calls."""
MOST_KEPT = timedelta(minutes=2)
"""The audio of a live track to keep: a few of the longest utterances."""
# HOST:PORT, with https:// for TLS, or a name with one of gRPC's schemes; no user or password.
_ADDRESS = re.compile(r"(https://)?(?!https?://)[!-?A-~]*[^\s/@]")


PageRequest = job.ListJobsRequest | job.SearchJobsRequest | job.ListDeadLettersRequest
"""What is answered in pages."""


class _Stubs:
    """The generated stubs of a gateway's services."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.channel = channel
        self.jobs = job_grpc.JobServiceStub(channel)
        self.live = live_grpc.LiveServiceStub(channel)
        self.catalog = catalog_grpc.CatalogServiceStub(channel)
        self.uploads = upload_grpc.UploadServiceStub(channel)
        self.access = access_grpc.AccessServiceStub(channel)
        self.edit = edit_grpc.EditServiceStub(channel)
        self.template = template_grpc.TemplateServiceStub(channel)
        self.shares = share_grpc.ShareServiceStub(channel)
        self.tenants = tenant_grpc.TenantServiceStub(channel)
        self.voices = voice_grpc.VoiceServiceStub(channel)
        self.speech = speech_grpc.SpeechServiceStub(channel)
        self.health: Any = health_pb2_grpc.HealthStub(channel)


class Client:
    """A client of a gateway; an asynchronous context manager.

    Args:
        address: HOST:PORT of the gateway; https://HOST:PORT for TLS. dns:NAME:PORT or
            ipv4:HOST:PORT,HOST:PORT are several gateways, among which calls are spread.
        tls: How to use TLS; where unset, an address with https:// trusts the public CAs, and any
            other is a plain connection.
        patience: How long to retry a broken connection while following
            a job.
        tenant: The tenant of the jobs; empty: that of the token, or the gateway's default tenant.
        token: What says who calls: an API key or a JSON Web Token, or a function that gives it for
            each call; empty: nothing, for a gateway on this machine that this user runs. It is
            sent over TLS, or within this machine, and not otherwise.
        tracer_provider: Makes the spans of calls; unset: the one that the application has set for
            all.

    Every method raises ClientError: the gateway's error, or UNAVAILABLE
    with GATEWAY_UNREACHABLE if none answers.

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
        tls: Tls | None = None,
        patience: timedelta = timedelta(minutes=5),
        tenant: str = "",
        token: Token = "",
        tracer_provider: TracerProvider | None = None,
    ) -> None:
        if tls is None and address.startswith(SCHEME):
            tls = Tls()
        self.address = address if tls is None else f"{SCHEME}{address.removeprefix(SCHEME)}"
        self._tls = tls
        self._tenant = tenant
        self._metadata = CallMetadata(tenant, token)
        self._patience = patience
        self._tracer_provider = tracer_provider

    def acting(self, *, token: Token = "", tenant: str = "", forwarded_for: str = "") -> Client:
        """The same gateway over the same connections, for another caller; open while this is.

        Args:
            token: What says who calls, as for the client itself.
            tenant: The tenant of the jobs.
            forwarded_for: The IP address of that caller, which gateways believe of proxies that
                they trust (MAIE_GATEWAY_TRUSTED_PROXIES); empty for none.

        Raises:
            ClientError: INVALID_ARGUMENT with TENANT_INVALID; FAILED_PRECONDITION with
                TOKEN_UNPROTECTED.
        """
        other = Client(
            self.address,
            tls=self._tls,
            patience=self._patience,
            tenant=tenant,
            token=token,
            tracer_provider=self._tracer_provider,
        )
        other._metadata = CallMetadata(tenant, token, forwarded_for)
        other._check_caller()
        other._channels, other._latest = self._channels, self._stubs()
        return other

    async def __aenter__(self) -> Self:
        self._check_caller()
        self._channels = Channels(self._tls)
        self._latest: _Stubs | None = None
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._channels.close()

    @property
    def _jobs(self) -> job_grpc.JobServiceStub:
        return self._stubs().jobs

    @property
    def _live(self) -> live_grpc.LiveServiceStub:
        return self._stubs().live

    @property
    def _catalog(self) -> catalog_grpc.CatalogServiceStub:
        return self._stubs().catalog

    @property
    def _health(self) -> Any:
        return self._stubs().health

    def _stubs(self) -> _Stubs:
        channel = self._channels.get(self.address)
        if self._latest is None or self._latest.channel is not channel:
            self._latest = _Stubs(channel)
        return self._latest

    @property
    def uploads(self) -> Uploads:
        """Uploads that go on after a break."""
        return Uploads(lambda: self._stubs().uploads, self._ask, self._calling, self._patience)

    @property
    def keys(self) -> Keys:
        """The API keys of the mesh, for who has the scope admin."""
        return Keys(lambda: self._stubs().access, self._ask)

    async def get_caller(self) -> access.Caller:
        """Who the gateway takes this client for."""
        request = access.GetCallerRequest()
        return (await self._ask(self._stubs().access.GetCaller, request)).caller

    @property
    def audit(self) -> Audit:
        """The audit log of the mesh, for who has the scope admin."""
        return Audit(lambda: self._stubs().access, self._ask)

    @property
    def tenants(self) -> Tenants:
        """The tenants of the mesh and their limits, for who has the scope admin."""
        return Tenants(lambda: self._stubs().tenants, self._ask, self._calling)

    @property
    def templates(self) -> Templates:
        """The tenant's own templates, and those that jobs were given."""
        return Templates(lambda: self._stubs().template, self._ask)

    @property
    def revisions(self) -> Revisions:
        """The corrected transcripts of jobs."""
        return Revisions(lambda: self._stubs().edit, self._ask)

    @property
    def shares(self) -> Shares:
        """Links by which others read jobs."""
        return Shares(lambda: self._stubs().shares, self._ask)

    @property
    def voices(self) -> Voices:
        """The voices of people, to find them again in jobs."""
        return Voices(lambda: self._stubs().voices, self._ask)

    @property
    def speech(self) -> Speech:
        """Text as speech."""
        return Speech(lambda: self._stubs().speech, self._ask, self._calling)

    async def process(self, source: Source, **options: Unpack[JobOptions]) -> Events:
        """Uploads a recording and yields the events of its job, up to `finished`.

        After the job is accepted, a broken connection is restored and no event
        is missed. To stop early, close the iterator (contextlib.aclosing); the
        job continues.

        Raises:
            OSError: The file cannot be read.
        """
        cursor = EventCursor()
        config = job_config(options, filename_of(source))
        try:
            async with aclosing(self._process_once(config, source)) as events:
                async for event in events:
                    if cursor.is_new(event):
                        yield event
        except ClientError as error:
            if not (cursor.job_id and error.is_break):
                raise
        if not cursor.job_id:
            raise stream_ended()
        async with aclosing(follow(cursor, self._watch_once, self._patience)) as events:
            async for event in events:
                yield event

    async def create_job(self, source: Source, **options: Unpack[JobOptions]) -> job.Job:
        """Uploads a recording and returns its job as soon as it is accepted.

        Raises:
            OSError: The file cannot be read.
        """
        return await self.upload(job_config(options, filename_of(source)), source)

    async def upload(
        self, config: job.JobConfig, source: Source, late: LateConfig = lambda: None
    ) -> job.Job:
        """Uploads a recording with the contract's own config; `create_job` takes plain names.

        Args:
            config: What to do.
            source: The recording.
            late: Gives what to do in place of `config`, where that is known only after the
                recording, as in an HTTP form. Its request id is the same.

        Raises:
            OSError: The file cannot be read.
        """
        with self._calling(job.CreateJobRequest) as metadata:
            call = self._jobs.CreateJob(metadata=metadata)
            sending = asyncio.create_task(
                send_upload(
                    call, lambda part: job.CreateJobRequest(upload=part), config, source, late
                )
            )
            try:
                return (await received(call, sending)).job
            finally:
                await stop(call, sending)

    async def create_job_from_url(self, url: str, **options: Unpack[JobOptions]) -> job.Job:
        """Has the gateway fetch a recording, and returns its job as soon as it is accepted.

        Args:
            url: Where the recording is: an http or https URL that needs no headers.
            options: What to do; the file's name is that of the server or the URL where unset.
        """
        return await self.fetch(job_config(options), url)

    async def process_url(self, url: str, **options: Unpack[JobOptions]) -> Events:
        """Has the gateway fetch a recording, and yields the events of its job, as `process`."""
        accepted = await self.create_job_from_url(url, **options)
        async with aclosing(self.watch_job(accepted.job_id)) as events:
            async for event in events:
                yield event

    async def fetch(self, config: job.JobConfig, url: str) -> job.Job:
        """Has the gateway fetch a recording, with the contract's own config.

        Args:
            config: What to do.
            url: Where the recording is.
        """
        request = job.CreateJobFromUrlRequest(url=sendable(url), config=config)
        with self._calling(job.CreateJobFromUrlRequest) as metadata:
            # The gateway ends it where it takes too long.
            return (await self._jobs.CreateJobFromUrl(request, metadata=metadata)).job

    async def get_job(self, job_id: str, revision: int | None = None) -> job.Job:
        """Returns a job, with its results so far.

        Args:
            job_id: The job.
            revision: The revision of its transcript; 0: as it was made; None: the newest one.
        """
        request = job.GetJobRequest(job_id=sendable(job_id), revision=revision)
        return (await self._ask(self._jobs.GetJob, request)).job

    async def get_timeline(self, job_id: str) -> job.Timeline:
        """Returns where the time of a job went: each attempt at each of its units."""
        request = job.GetTimelineRequest(job_id=sendable(job_id))
        return (await self._ask(self._jobs.GetTimeline, request)).timeline

    async def get_waveform(self, job_id: str) -> common.Waveform:
        """Returns how loud the recording of a job is from its beginning to its end.

        Raises:
            ClientError: Also NOT_FOUND with WAVEFORM_NOT_MADE, FAILED_PRECONDITION with
                WAVEFORM_NOT_READY.
        """
        request = job.GetWaveformRequest(job_id=sendable(job_id))
        return (await self._ask(self._jobs.GetWaveform, request)).waveform

    async def get_audio(
        self, job_id: str, *, start_byte: int = 0, max_bytes: int = 0, digest: bool = False
    ) -> AudioParts:
        """Yields the audio of a job, or a part, `info` first, through broken connections.

        Args:
            job_id: The job.
            digest: Its summary as speech, in place of the recording.
            start_byte: The first byte to get, from 0.
            max_bytes: The most bytes to get; 0: all that follow.

        Raises:
            ClientError: Also DATA_LOSS with BLOB_CORRUPT: what came is not what was stored.
        """
        name = sendable(job_id)
        source = job.AUDIO_SOURCE_DIGEST if digest else job.AUDIO_SOURCE_UNSPECIFIED

        def once(start: int, most: int) -> AudioParts:
            return self._audio_once(name, source, start, most)

        audio = stored_audio(once, self._patience, start_byte, max_bytes)
        async with aclosing(audio) as parts:
            async for part in parts:
                yield part

    async def save_audio(
        self, job_id: str, path: Path | str, *, digest: bool = False
    ) -> job.AudioInfo:
        """Writes the audio of a job to a file, which is there only once it is whole.

        Args:
            job_id: The job.
            path: The file.
            digest: Its summary as speech, in place of the recording.

        Raises:
            OSError: The file cannot be written.
            ClientError: As `get_audio`.
        """
        return await save(self.get_audio(job_id, digest=digest), Path(path))

    async def list_jobs(
        self, *, page_size: int = 50, **filters: Unpack[JobFilters]
    ) -> AsyncGenerator[job.Job, None]:
        """Yields jobs, newest first and without results; fetches further pages on demand.

        Args:
            page_size: The number of jobs in one request.
            filters: Which jobs.
        """
        request = job.ListJobsRequest(**filter_fields(filters), page_size=page_size)
        async for page in self._pages(request):
            for found in page.jobs:
                yield found

    async def watch_job(self, job_id: str, after_sequence: int = 0) -> Events:
        """Yields a job's events after a sequence, through broken connections, up to `finished`."""
        cursor = EventCursor(sendable(job_id), after_sequence)
        async with aclosing(follow(cursor, self._watch_once, self._patience)) as events:
            async for event in events:
                yield event

    async def cancel_job(self, job_id: str) -> job.Job:
        """Cancels a job. A finished job stays as it is."""
        request = job.CancelJobRequest(job_id=sendable(job_id))
        return (await self._ask(self._jobs.CancelJob, request)).job

    async def retry_job(self, job_id: str) -> job.Job:
        """Resumes a failed or cancelled job."""
        request = job.RetryJobRequest(job_id=sendable(job_id))
        return (await self._ask(self._jobs.RetryJob, request)).job

    async def update_job(
        self,
        job_id: str,
        *,
        display_name: str | None = None,
        labels: Mapping[str, str] | None = None,
        speaker_names: Mapping[str, str] | None = None,
    ) -> job.Job:
        """Changes a job's name, its labels, or what its speakers are called.

        Args:
            job_id: The job.
            display_name: The name from now on; as it was where unset.
            labels: Labels to set, by key; an empty value removes one.
            speaker_names: Names to give to speakers, by "S1" and so on; an empty one
                removes it.
        """
        request = job.UpdateJobRequest(
            job_id=sendable(job_id),
            display_name=None if display_name is None else sendable(display_name),
            labels=sendable_labels(labels or {}),
            speaker_names=sendable_labels(speaker_names or {}),
        )
        return (await self._ask(self._jobs.UpdateJob, request)).job

    async def delete_job(self, job_id: str) -> None:
        """Deletes a job and all of its data; cancels it first if it is running."""
        await self._ask(self._jobs.DeleteJob, job.DeleteJobRequest(job_id=sendable(job_id)))

    async def search_jobs(
        self, query: str, *, page_size: int = 20, **filters: Unpack[JobFilters]
    ) -> AsyncGenerator[job.SearchHit, None]:
        """Yields the jobs that contain words, best match first, with the times of the matches."""
        fields = filter_fields(filters)
        request = job.SearchJobsRequest(query=sendable(query), **fields, page_size=page_size)
        async for page in self._pages(request):
            for hit in page.hits:
                yield hit

    async def list_dead_letters(
        self, *, job_id: str = "", page_size: int = 50
    ) -> AsyncGenerator[job.DeadLetterEntry, None]:
        """Yields the dead letters, newest first."""
        request = job.ListDeadLettersRequest(job_id=sendable(job_id), page_size=page_size)
        async for page in self._pages(request):
            for letter in page.letters:
                yield letter

    async def page(self, request: PageRequest) -> Any:
        """Returns one page of jobs, of matches or of dead letters: the response to the request."""
        methods: dict[type[Message], Callable[..., Any]] = {
            job.ListJobsRequest: self._jobs.ListJobs,
            job.SearchJobsRequest: self._jobs.SearchJobs,
            job.ListDeadLettersRequest: self._jobs.ListDeadLetters,
        }
        return await self._ask(methods[type(request)], request)

    async def _pages(self, request: PageRequest) -> AsyncGenerator[Any, None]:
        while True:
            page = await self.page(request)
            yield page
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def replay_dead_letter(self, letter_id: int) -> job.Job:
        """Replays a dead letter: its unit is tried again."""
        request = job.ReplayDeadLetterRequest(letter_id=letter_id)
        return (await self._ask(self._jobs.ReplayDeadLetter, request)).job

    def live(
        self,
        *,
        resume: ResumePoint | None = None,
        gateways: Sequence[str] = (),
        most_kept: timedelta = MOST_KEPT,
        **options: Unpack[LiveOptions],
    ) -> LiveSession:
        """Begins or resumes a live session; use it with `async with`.

        Args:
            resume: The session to go on with; its options are what they were.
                `started.tracks` of the session says from where to send each
                track's audio again.
            gateways: Addresses of further gateways of the mesh, to go on at when
                this client's stops.
            most_kept: How much audio of each track to keep until it is durable;
                sending waits beyond. More than the longest utterance, 30 s.
            options: What to do, as for a job, and the format of the audio.

        Raises:
            ClientError: INVALID_ARGUMENT with FEATURE_UNKNOWN or ADDRESS_INVALID.
        """
        start = start_message(options, resume)
        return self.live_session(start, gateways=gateways, most_kept=most_kept)

    def live_session(
        self,
        start: live_messages.StartSession,
        *,
        gateways: Sequence[str] = (),
        most_kept: timedelta = MOST_KEPT,
    ) -> LiveSession:
        """The same as `live`, for those who have the contract's first message.

        Args:
            start: The first message.
            gateways: As for `live`.
            most_kept: As for `live`.

        Raises:
            ClientError: INVALID_ARGUMENT with ADDRESS_INVALID.
        """
        for address in gateways:
            self._check(address)
        addresses = (self.address, *gateways)
        at = Gateways(addresses, self._tls, self._metadata, self._tracer_provider)
        return LiveSession(start, at, self._patience, most_kept)

    async def get_session(self, session: ResumePoint) -> live_messages.GetSessionResponse:
        """Returns how far a live session is."""
        request = live_messages.GetSessionRequest(
            session_id=sendable(session.session_id), resume_token=sendable(session.resume_token)
        )
        return await self._ask(self._live.GetSession, request)

    async def list_models(
        self, stage: common.Stage = common.STAGE_UNSPECIFIED
    ) -> list[catalog.Model]:
        """Lists the workers' models, of one stage or of all."""
        request = catalog.ListModelsRequest(stage=stage)
        return list((await self._ask(self._catalog.ListModels, request)).models)

    async def list_templates(self) -> list[summary.Template]:
        """Lists the templates, without schema and prompt.

        They are those that come with the deployment, and the tenant's own, whose version is above
        0 and which `templates` saves.
        """
        request = catalog.ListTemplatesRequest()
        return list((await self._ask(self._catalog.ListTemplates, request)).templates)

    async def get_template(self, template_id: str, version: int | None = None) -> summary.Template:
        """Returns a template with its schema and prompt; its newest version where None is named."""
        request = catalog.GetTemplateRequest(template_id=sendable(template_id), version=version)
        return (await self._ask(self._catalog.GetTemplate, request)).template

    async def get_mesh(self) -> catalog.GetMeshResponse:
        """Returns the status of each part of the mesh."""
        return await self._ask(self._catalog.GetMesh, catalog.GetMeshRequest())

    async def health(self, service: str = "") -> bool:
        """Whether the gateway, or one of its services, reports SERVING."""
        request = health_pb2.HealthCheckRequest(service=service)
        try:
            with client_errors(self.address):
                response = await self._health.Check(
                    request, timeout=UNARY_TIMEOUT_SECONDS, metadata=self._metadata.now()
                )
        except ClientError as error:
            if error.code is grpc.StatusCode.NOT_FOUND:  # no such service
                raise not_a_gateway(self.address) from error
            raise
        return bool(response.status == health_pb2.HealthCheckResponse.SERVING)

    def _check_caller(self) -> None:
        if not (self._tenant.isascii() and self._tenant.isprintable()):
            raise tenant_invalid()  # invalid as metadata; the gateway would return the same error
        self._check(self.address)

    def _check(self, address: str) -> None:
        if not (address.isascii() and _ADDRESS.fullmatch(address)):
            raise address_invalid(address)
        if self._tls is None and self._metadata.has_token and not is_loopback(address):
            raise token_unprotected(address)

    @contextmanager
    def _calling(self, request: type[Message]) -> Iterator[Metadata]:
        """A call of the method that takes these requests; yields its metadata.

        Raises:
            ClientError: The call failed.
        """
        spans = traced_call(request, self.address, self._tracer_provider)
        with spans as trace, client_errors(self.address):
            yield (*self._metadata.now(), *trace)

    async def _ask(self, method: Callable[..., Any], request: Message) -> Any:
        with self._calling(type(request)) as metadata:
            return await method(request, timeout=UNARY_TIMEOUT_SECONDS, metadata=metadata)

    async def _process_once(self, config: job.JobConfig, source: Source) -> Events:
        with self._calling(job.ProcessAudioRequest) as metadata:
            call = self._jobs.ProcessAudio(metadata=metadata)
            sending = asyncio.create_task(
                send_upload(call, lambda part: job.ProcessAudioRequest(upload=part), config, source)
            )
            try:
                while (response := await received(call.read(), sending)) is not grpc.aio.EOF:
                    yield response.event
            finally:
                await stop(call, sending)

    async def _audio_once(
        self, job_id: str, source: job.AudioSource, start: int, most: int
    ) -> AudioParts:
        request = job.GetAudioRequest(
            job_id=job_id, start_byte=start, max_bytes=most, source=source
        )
        with self._calling(job.GetAudioRequest) as metadata:
            call = self._jobs.GetAudio(request, metadata=metadata)
            try:
                async for response in call:
                    yield response
            finally:
                call.cancel()

    async def _watch_once(self, cursor: EventCursor) -> Events:
        request = job.WatchJobRequest(job_id=cursor.job_id, after_sequence=cursor.sequence)
        with self._calling(job.WatchJobRequest) as metadata:
            call = self._jobs.WatchJob(request, metadata=metadata)
            try:
                async for response in call:
                    yield response.event
            finally:
                call.cancel()  # abandoned calls are not garbage-collected
