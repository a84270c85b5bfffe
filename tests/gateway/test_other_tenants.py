"""What belongs to another tenant looks like what does not exist: in words, details and work."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import grpc
import pytest
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor
from google.rpc import status_pb2
from grpc_status import rpc_status

from maie.access.v1 import access_pb2_grpc
from maie.catalog.v1 import catalog_pb2 as catalog
from maie.catalog.v1 import catalog_pb2_grpc
from maie.edit.v1 import edit_pb2 as edit
from maie.edit.v1 import edit_pb2_grpc
from maie.event.v1 import event_pb2 as event
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import job_pb2_grpc
from maie.live.v1 import live_pb2 as live
from maie.live.v1 import live_pb2_grpc
from maie.share.v1 import share_pb2 as share
from maie.share.v1 import share_pb2_grpc
from maie.template.v1 import template_pb2 as template
from maie.template.v1 import template_pb2_grpc
from maie.upload.v1 import upload_pb2 as upload
from maie.upload.v1 import upload_pb2_grpc
from maie.voice.v1 import stored_pb2 as stored_voice
from maie.voice.v1 import voice_pb2 as voice
from maie.voice.v1 import voice_pb2_grpc
from maie_client import Client
from maie_core.errors import StageError
from maie_gateway.care.dead_letters import DeadLetters
from maie_gateway.records.store import JobStore
from maie_gateway.server import SERVICES
from maie_gateway.voices.entries import VoiceEntries
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from tests.gateway.conftest import EmptyMesh
from tests.gateway.templates.contents import PROMPT, SCHEMA
from tests.people import AGREED

pytestmark = pytest.mark.mesh

ABSENT = "01900000-0000-7000-8000-000000000000"
ABSENT_LETTER = 4_000_000_000
OURS, THEIRS = (("maie-tenant", "ours"),), (("maie-tenant", "theirs"),)
# Ids of what all tenants share: keys, which only an admin's call can name.
SHARED = frozenset({"RotateKey", "RevokeKey", "ListAuditEntries"})
# As long as an id of a job, so that one can be put in place of the other in a message's bytes.
TEMPLATE = f"{'ours_only':_<36}"
VOICE = "01900000-0000-7000-8000-000000000001"


class Stubs:
    """The stubs of a gateway."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.job: Any = job_pb2_grpc.JobServiceStub(channel)
        self.edit: Any = edit_pb2_grpc.EditServiceStub(channel)
        self.live: Any = live_pb2_grpc.LiveServiceStub(channel)
        self.catalog: Any = catalog_pb2_grpc.CatalogServiceStub(channel)
        self.upload: Any = upload_pb2_grpc.UploadServiceStub(channel)
        self.template: Any = template_pb2_grpc.TemplateServiceStub(channel)
        self.share: Any = share_pb2_grpc.ShareServiceStub(channel)
        self.voice: Any = voice_pb2_grpc.VoiceServiceStub(channel)
        self.access: Any = access_pb2_grpc.AccessServiceStub(channel)


Ask = Callable[[Stubs, str, int], Any]


async def _one(message: Any) -> AsyncIterator[Any]:
    yield message


def _resume(session_id: str) -> live.TranscribeRequest:
    start = live.StartSession(session_id=session_id, resume_token="guessed")
    return live.TranscribeRequest(start=start)


ASKING: dict[str, Ask] = {
    "GetJob": lambda at, name, _: at.job.GetJob(job.GetJobRequest(job_id=name), metadata=THEIRS),
    "GetAudio": lambda at, name, _: at.job.GetAudio(
        job.GetAudioRequest(job_id=name), metadata=THEIRS
    ),
    "GetWaveform": lambda at, name, _: at.job.GetWaveform(
        job.GetWaveformRequest(job_id=name), metadata=THEIRS
    ),
    "GetTimeline": lambda at, name, _: at.job.GetTimeline(
        job.GetTimelineRequest(job_id=name), metadata=THEIRS
    ),
    "WatchJob": lambda at, name, _: at.job.WatchJob(
        job.WatchJobRequest(job_id=name), metadata=THEIRS
    ),
    "CancelJob": lambda at, name, _: at.job.CancelJob(
        job.CancelJobRequest(job_id=name), metadata=THEIRS
    ),
    "RetryJob": lambda at, name, _: at.job.RetryJob(
        job.RetryJobRequest(job_id=name), metadata=THEIRS
    ),
    "UpdateJob": lambda at, name, _: at.job.UpdateJob(
        job.UpdateJobRequest(job_id=name, display_name="mine"), metadata=THEIRS
    ),
    "DeleteJob": lambda at, name, _: at.job.DeleteJob(
        job.DeleteJobRequest(job_id=name), metadata=THEIRS
    ),
    "ListDeadLetters": lambda at, name, _: at.job.ListDeadLetters(
        job.ListDeadLettersRequest(job_id=name), metadata=THEIRS
    ),
    "ReplayDeadLetter": lambda at, _, letter: at.job.ReplayDeadLetter(
        job.ReplayDeadLetterRequest(letter_id=letter), metadata=THEIRS
    ),
    "SaveRevision": lambda at, name, _: at.edit.SaveRevision(
        edit.SaveRevisionRequest(job_id=name, edits=[edit.SegmentEdit()]), metadata=THEIRS
    ),
    "GetRevision": lambda at, name, _: at.edit.GetRevision(
        edit.GetRevisionRequest(job_id=name), metadata=THEIRS
    ),
    "ListRevisions": lambda at, name, _: at.edit.ListRevisions(
        edit.ListRevisionsRequest(job_id=name), metadata=THEIRS
    ),
    "RevertRevision": lambda at, name, _: at.edit.RevertRevision(
        edit.RevertRevisionRequest(job_id=name), metadata=THEIRS
    ),
    "SummarizeRevision": lambda at, name, _: at.edit.SummarizeRevision(
        edit.SummarizeRevisionRequest(job_id=name), metadata=THEIRS
    ),
    "CreateShare": lambda at, name, _: at.share.CreateShare(
        share.CreateShareRequest(job_id=name), metadata=THEIRS
    ),
    "ListShares": lambda at, name, _: at.share.ListShares(
        share.ListSharesRequest(job_id=name), metadata=THEIRS
    ),
    "RevokeShare": lambda at, name, _: at.share.RevokeShare(
        share.RevokeShareRequest(job_id=name, share_id="0" * 12), metadata=THEIRS
    ),
    "GetSession": lambda at, name, _: at.live.GetSession(
        live.GetSessionRequest(session_id=name, resume_token="guessed"), metadata=THEIRS
    ),
    "Transcribe": lambda at, name, _: at.live.Transcribe(_one(_resume(name)), metadata=THEIRS),
    "GetTemplate": lambda at, name, _: at.catalog.GetTemplate(
        catalog.GetTemplateRequest(template_id=name), metadata=THEIRS
    ),
    "ListTemplateVersions": lambda at, name, _: at.template.ListTemplateVersions(
        template.ListTemplateVersionsRequest(template_id=name), metadata=THEIRS
    ),
    "DeleteTemplate": lambda at, name, _: at.template.DeleteTemplate(
        template.DeleteTemplateRequest(template_id=name), metadata=THEIRS
    ),
    "GetJobTemplate": lambda at, name, _: at.template.GetJobTemplate(
        template.GetJobTemplateRequest(job_id=name), metadata=THEIRS
    ),
    "EnrollVoice": lambda at, name, _: at.voice.EnrollVoice(
        voice.EnrollVoiceRequest(job_id=name, speaker="S1", display_name="Anna", consent=AGREED),
        metadata=THEIRS,
    ),
    "FindVoices": lambda at, name, _: at.voice.FindVoices(
        voice.FindVoicesRequest(job_id=name), metadata=THEIRS
    ),
    "GetVoice": lambda at, name, _: at.voice.GetVoice(
        voice.GetVoiceRequest(voice_id=name), metadata=THEIRS
    ),
    "UpdateVoice": lambda at, name, _: at.voice.UpdateVoice(
        voice.UpdateVoiceRequest(voice_id=name, display_name="Eve", base_revision=1),
        metadata=THEIRS,
    ),
    "DeleteVoice": lambda at, name, _: at.voice.DeleteVoice(
        voice.DeleteVoiceRequest(voice_id=name), metadata=THEIRS
    ),
    "GetUpload": lambda at, name, _: at.upload.GetUpload(
        upload.GetUploadRequest(upload_id=name), metadata=THEIRS
    ),
    "AppendUpload": lambda at, name, _: at.upload.AppendUpload(
        _one(upload.AppendUploadRequest(start=upload.AppendStart(upload_id=name))), metadata=THEIRS
    ),
    "FinishUpload": lambda at, name, _: at.upload.FinishUpload(
        upload.FinishUploadRequest(upload_id=name), metadata=THEIRS
    ),
    "DeleteUpload": lambda at, name, _: at.upload.DeleteUpload(
        upload.DeleteUploadRequest(upload_id=name), metadata=THEIRS
    ),
}


OF_TEMPLATES = frozenset({"GetTemplate", "ListTemplateVersions", "DeleteTemplate"})
OF_VOICES = frozenset({"GetVoice", "UpdateVoice", "DeleteVoice"})


def _has_id(kind: Descriptor, depth: int = 2) -> bool:
    """Whether a request names something by its id, itself or in a message inside."""
    return any(
        field.name.endswith("_id")
        or (
            depth
            and field.message_type is not None
            and field.message_type.full_name.startswith("maie.")
            and _has_id(field.message_type, depth - 1)
        )
        for field in kind.fields
    )


def test_every_rpc_that_takes_an_id_is_tried() -> None:
    pool = descriptor_pool.Default()
    taking = {
        method.name
        for service in SERVICES
        for method in pool.FindServiceByName(service).methods
        if _has_id(method.input_type)
    }
    # A request id and a template are of the call's own tenant, or of all.
    new = {"CreateJob", "CreateJobFromUrl", "ProcessAudio", "BeginUpload"}
    new |= {"CheckTemplate", "SaveTemplate"}
    # A template is a filter of these.
    new |= {"ListJobs", "SearchJobs"}
    assert taking - SHARED - new == set(ASKING)


async def refused(call: Any) -> tuple[str, status_pb2.Status, list[str]]:
    """How a call is refused: its code, its status with details, the names of its metadata."""
    with pytest.raises(grpc.aio.AioRpcError) as error:
        if hasattr(call, "__aiter__"):
            async for _ in call:
                pass
        else:
            await call
    found: Any = rpc_status.from_call(error.value)  # type: ignore[arg-type]
    metadata = error.value.trailing_metadata() or ()
    return error.value.code().name, found, sorted(key for key, _ in metadata)


async def recording() -> AsyncIterator[bytes]:
    yield b"not empty"


@asynccontextmanager
async def our_things(mesh: EmptyMesh, broker: Broker) -> AsyncIterator[tuple[Stubs, str, int, str]]:
    """A gateway, a job, a dead letter of it, a live session, a template and a voice of ours."""
    async with (
        mesh.gateway() as address,
        Client(address, tenant="ours") as ours,
        grpc.aio.insecure_channel(address) as channel,
    ):
        stubs = Stubs(channel)
        made = await ours.create_job(recording(), features=["raw_transcript"])
        await ours.templates.save(TEMPLATE, 0, SCHEMA, PROMPT)
        profile = stored_voice.VoiceProfile(display_name="Anna", revision=1)
        await VoiceEntries(broker).create("ours", VOICE, VOICE, profile)
        task = event.StageTask(job_id=made.job_id, unit="preprocess", attempt=1)
        letter = await broker.publish(
            subjects.dead_letter("preprocess", made.job_id),
            event.DeadLetter(task=task),
            message_id="letter",
        )
        config = live.SessionConfig(
            job=job.JobConfig(features=[job.FEATURE_RAW_TRANSCRIPT]),
            format=live.AudioFormat(
                encoding=live.AUDIO_ENCODING_LINEAR16, sample_rate_hertz=16000, channels=1
            ),
        )
        start = live.TranscribeRequest(start=live.StartSession(config=config))
        call = stubs.live.Transcribe(_one(start), metadata=OURS)
        session = (await call.read()).started.session_id
        call.cancel()
        yield stubs, made.job_id, letter, session


async def test_another_tenants_things_look_like_absent_ones(
    empty_mesh: EmptyMesh, broker: Broker
) -> None:
    async with our_things(empty_mesh, broker) as (stubs, job_id, letter, session):
        config = job.JobConfig(features=[job.FEATURE_RAW_TRANSCRIPT])
        beginning = upload.BeginUploadRequest(config=config)
        begun = (await stubs.upload.BeginUpload(beginning, metadata=OURS)).upload
        for name, ask in ASKING.items():
            theirs = session if name in ("GetSession", "Transcribe") else job_id
            if name.endswith("Upload"):
                theirs = begun.upload_id
            if name in OF_TEMPLATES:
                theirs = TEMPLATE
            if name in OF_VOICES:
                theirs = VOICE
            code, status, metadata = await refused(ask(stubs, theirs, letter))
            absent_code, absent, absent_metadata = await refused(ask(stubs, ABSENT, ABSENT_LETTER))
            assert (code, metadata) == (absent_code, absent_metadata), name
            assert code == "NOT_FOUND", name
            said = status.message.replace(theirs, ABSENT)
            status.message = said.replace(f"letter {letter};", f"letter {ABSENT_LETTER};")
            if name in OF_TEMPLATES | OF_VOICES:
                for detail in status.details:
                    detail.value = detail.value.replace(theirs.encode(), ABSENT.encode())
            assert status == absent, name
        ours = await stubs.voice.GetVoice(voice.GetVoiceRequest(voice_id=VOICE), metadata=OURS)
        assert ours.voice.display_name == "Anna"
        kept = catalog.GetTemplateRequest(template_id=TEMPLATE)
        assert (await stubs.catalog.GetTemplate(kept, metadata=OURS)).template.version == 1
        asking = upload.GetUploadRequest(upload_id=begun.upload_id)
        assert (await stubs.upload.GetUpload(asking, metadata=OURS)).upload == begun
        for name in (job_id, session):
            mine = await stubs.job.GetJob(job.GetJobRequest(job_id=name), metadata=OURS)
            assert mine.job.state != job.JOB_STATE_CANCELLED


async def test_what_lists_show_is_the_callers_own(empty_mesh: EmptyMesh, broker: Broker) -> None:
    async with our_things(empty_mesh, broker) as (stubs, job_id, _, session):
        mine = await stubs.job.ListJobs(job.ListJobsRequest(), metadata=OURS)
        assert {each.job_id for each in mine.jobs} == {job_id, session}
        page = await stubs.job.ListJobs(job.ListJobsRequest(page_size=1), metadata=OURS)
        theirs = await stubs.job.ListJobs(job.ListJobsRequest(), metadata=THEIRS)
        assert not theirs.jobs
        stolen = job.ListJobsRequest(page_size=1, page_token=page.next_page_token)
        code, _, _ = await refused(stubs.job.ListJobs(stolen, metadata=THEIRS))
        assert code == "INVALID_ARGUMENT"
        letters = await stubs.job.ListDeadLetters(job.ListDeadLettersRequest(), metadata=THEIRS)
        assert not letters.letters
        listed = catalog.ListTemplatesRequest()
        shipped = await stubs.catalog.ListTemplates(listed, metadata=THEIRS)
        assert TEMPLATE not in {each.template_id for each in shipped.templates}
        voices = await stubs.voice.ListVoices(voice.ListVoicesRequest(), metadata=THEIRS)
        assert not voices.voices
        found = await stubs.job.SearchJobs(job.SearchJobsRequest(query="empty"), metadata=THEIRS)
        assert not found.hits


async def test_a_request_id_is_of_its_tenant(empty_mesh: EmptyMesh) -> None:
    async with (
        empty_mesh.gateway() as address,
        Client(address, tenant="ours") as ours,
        Client(address, tenant="theirs") as theirs,
    ):
        made = [
            await client.create_job(recording(), features=["raw_transcript"], request_id="the same")
            for client in (ours, ours, theirs)
        ]
        assert made[0].job_id == made[1].job_id != made[2].job_id
        assert made[2].tenant == "theirs"


async def asked(broker: Broker, asking: Awaitable[object]) -> int:
    """How many messages a refused question sends to the broker."""
    before = broker.client.stats["out_msgs"]
    with pytest.raises(StageError) as error:
        await asking
    assert error.value.code.name == "NOT_FOUND"
    return broker.client.stats["out_msgs"] - before


async def test_the_broker_is_asked_the_same_for_anothers_job_as_for_an_absent_one(
    empty_mesh: EmptyMesh, broker: Broker
) -> None:
    """Also for one whose last entry is a change to its record."""
    async with our_things(empty_mesh, broker) as (stubs, job_id, letter, _):
        update = job.UpdateJobRequest(job_id=job_id, display_name="renamed")
        await stubs.job.UpdateJob(update, metadata=OURS)
        for _ in range(2):
            store = JobStore(broker)
            absent = await asked(broker, store.get_own(ABSENT, "theirs"))
            assert await asked(broker, store.get_own(job_id, "theirs")) == absent == 1
            letters = DeadLetters(broker, store, cast(Any, None))
            absent = await asked(broker, letters.replay("theirs", ABSENT_LETTER))
            assert await asked(broker, letters.replay("theirs", letter)) == absent == 2
            await stubs.job.CancelJob(job.CancelJobRequest(job_id=job_id), metadata=OURS)
            assert (await store.get_own(job_id, "ours")).record.job_id == job_id
