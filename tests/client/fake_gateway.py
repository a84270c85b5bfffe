"""The far side of the client: a real gRPC server whose jobs follow a script."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from maie.catalog.v1 import catalog_pb2 as catalog
from maie.catalog.v1 import catalog_pb2_grpc as catalog_grpc
from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import job_pb2_grpc as job_grpc
from maie.summary.v1 import summary_pb2 as summary
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_runtime.rpc.server import GrpcServer

JOB_ID = "0197c1a2-0000-7000-8000-000000000001"


def segment(number: int, text: str, clean: str = "", *, chunk: int = 0) -> common.Segment:
    made = common.Segment(segment_id=f"c{chunk:04d}-s{number:04d}", text=text)
    made.start_offset.seconds = number * 5
    made.end_offset.seconds = number * 5 + 4
    if clean:
        made.clean_text = clean
    return made


def finished_job(state: job.JobState = job.JOB_STATE_COMPLETE) -> job.Job:
    done = job.Job(job_id=JOB_ID, state=state)
    done.results.clean_transcript = "Hello. Goodbye."
    done.results.segments.extend([segment(0, "hello", "Hello."), segment(1, "goodbye", "Goodbye.")])
    done.versions.pipeline = "0.1.0"
    return done


def script(done: job.Job | None = None) -> list[job.JobEvent]:
    """The durable events of a job, with their sequences, and in between what is not durable."""
    ended = job.UnitEnded(unit="asr.0000", stage=common.STAGE_ASR, state=job.UNIT_STATE_COMPLETED)
    progress = job.StageProgress(stage=common.STAGE_ASR, fraction=0.5, total_units=1)
    return [
        job.JobEvent(sequence=1, accepted=job.JobAccepted(job_id=JOB_ID)),
        job.JobEvent(
            sequence=2, state_changed=job.JobStateChanged(state=job.JOB_STATE_PROCESSING_ASR)
        ),
        job.JobEvent(stage_progress=progress),
        job.JobEvent(segment=segment(0, "hello")),
        job.JobEvent(sequence=3, unit_ended=ended),
        job.JobEvent(sequence=4, state_changed=job.JobStateChanged(state=job.JOB_STATE_COMPLETE)),
        job.JobEvent(finished=job.JobFinished(job=done or finished_job())),
    ]


@dataclass
class Upload:
    """What a client sent."""

    config: job.JobConfig = field(default_factory=job.JobConfig)
    sizes: list[int] = field(default_factory=list)
    finish: job.UploadFinish | None = None
    sha256: str = ""


class FakeJobs(job_grpc.JobServiceServicer):
    """Answers as scripted.

    Attributes:
        events: What happens to every job.
        cut_after: After how many events ProcessAudio breaks off; never where None.
        refusal: What every call is refused with.
        urls: The URLs that recordings were to be fetched from.
    """

    def __init__(self, events: Sequence[job.JobEvent]) -> None:
        self.events = list(events)
        self.cut_after: int | None = None
        self.refusal: StageError | None = None
        self.upload = Upload()
        self.urls: list[str] = []
        self.watched_after: list[int] = []
        self.open_calls = 0
        self.left = asyncio.Event()

    async def ProcessAudio(self, requests, context):
        if self.refusal:
            raise self.refusal
        await self._receive(requests)
        for number, event in enumerate(self.events):
            if number == self.cut_after:
                raise StageError(
                    Code.UNAVAILABLE, Reason.GATEWAY_DRAINING, "The gateway is stopping."
                )
            yield job.ProcessAudioResponse(event=event)

    async def CreateJob(self, requests, context):
        if self.refusal:
            raise self.refusal
        await self._receive(requests)
        return job.CreateJobResponse(job=job.Job(job_id=JOB_ID, state=job.JOB_STATE_PENDING))

    async def CreateJobFromUrl(self, request, context):
        if self.refusal:
            raise self.refusal
        self.urls.append(request.url)
        return job.CreateJobFromUrlResponse(job=job.Job(job_id=JOB_ID))

    async def WatchJob(self, request, context):
        self.watched_after.append(request.after_sequence)
        self.open_calls += 1
        try:
            for event in self.events:
                if not event.sequence or event.sequence > request.after_sequence:
                    yield job.WatchJobResponse(event=event)
            if not self.events or not self.events[-1].HasField("finished"):
                await asyncio.Event().wait()
        finally:
            self.open_calls -= 1
            self.left.set()

    async def GetJob(self, request, context):
        if request.job_id != JOB_ID:
            raise StageError(Code.NOT_FOUND, Reason.JOB_NOT_FOUND, "There is no such job.")
        return job.GetJobResponse(job=finished_job())

    async def ListJobs(self, request, context):
        start = int(request.page_token or 0)
        page = [job.Job(job_id=str(number)) for number in range(start, min(5, start + 2))]
        more = str(start + 2) if start + 2 < 5 else ""
        return job.ListJobsResponse(jobs=page, next_page_token=more)

    async def CancelJob(self, request, context):
        return job.CancelJobResponse(job=finished_job(job.JOB_STATE_CANCELLED))

    async def _receive(self, requests) -> None:
        digest = hashlib.sha256()
        self.upload = Upload()
        async for request in requests:
            match request.upload.WhichOneof("part"):
                case "config":
                    self.upload.config = request.upload.config
                case "audio":
                    self.upload.sizes.append(len(request.upload.audio))
                    digest.update(request.upload.audio)
                case "finish":
                    self.upload.finish = request.upload.finish
        self.upload.sha256 = digest.hexdigest()


TEMPLATE = summary.Template(
    template_id="meeting_notes_v1",
    title="Meeting notes",
    schema_json='{"properties": {"title": {}, "decisions": {"title": "Decisions"}}}',
)


class FakeCatalog(catalog_grpc.CatalogServiceServicer):
    """Has one template and one model."""

    async def ListModels(self, request, context):
        engine = common.EngineVersion(engine="pocketsphinx", model_name="en-us")
        model = catalog.Model(stage=common.STAGE_ASR, worker_count=2)
        model.info.engine.CopyFrom(engine)
        return catalog.ListModelsResponse(models=[model])

    async def ListTemplates(self, request, context):
        return catalog.ListTemplatesResponse(templates=[TEMPLATE])

    async def GetTemplate(self, request, context):
        if request.template_id != TEMPLATE.template_id:
            raise StageError(
                Code.NOT_FOUND, Reason.TEMPLATE_NOT_FOUND, "There is no such template."
            )
        return catalog.GetTemplateResponse(template=TEMPLATE)

    async def GetMesh(self, request, context):
        return catalog.GetMeshResponse(version="0.1.0", max_active_jobs=50, blob_store="file")


@asynccontextmanager
async def serving(jobs: FakeJobs, address: str = "127.0.0.1:0") -> AsyncIterator[str]:
    """A gateway that answers; gives its address. Leaving it breaks off every call."""
    server = GrpcServer(address, ("maie.job.v1.JobService",))
    job_grpc.add_JobServiceServicer_to_server(jobs, server.server)
    catalog_grpc.add_CatalogServiceServicer_to_server(FakeCatalog(), server.server)
    await server.start()
    await server.set_serving(True)
    try:
        yield server.address
    finally:
        await server.stop(0)
