"""JobService over a real nats-server: what a client is promised."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any, Unpack

import grpc
import pytest

from maie.asr.v1 import asr_pb2 as asr
from maie.common.v1 import types_pb2 as common
from maie.event.v1 import event_pb2 as event
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import job_pb2_grpc
from maie_client import Client, ClientError, JobOptions
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_runtime.bus import outages, subjects
from maie_runtime.bus.provision import open_provisioned_broker
from maie_runtime.worker.stage import StageContext
from tests.empty_stages import EmptyStage, empty_stages
from tests.gateway.conftest import EmptyMesh
from tests.sending import answer_to
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.mesh

RAW = ("raw_transcript",)
EVERYTHING = ("raw_transcript", "clean_transcript", "summary", "enhancement_metrics")
TEMPLATE = "meeting_notes_v1"


async def recording() -> AsyncIterator[bytes]:
    """A recording that empty stages do not look at."""
    yield b"not empty"


async def process(client: Client, **options: Unpack[JobOptions]) -> list[job.JobEvent]:
    """All events of a job, to its end."""
    return [event async for event in client.process(recording(), **options)]


@pytest.fixture(scope="module")
async def shared_client(shared_mesh: EmptyMesh) -> AsyncIterator[Client]:
    """A client of a mesh that the tests share of which none submits a job."""
    async with shared_mesh.running() as client:
        yield client


async def test_a_job_runs_through_all_stages_and_gives_what_was_asked(
    empty_mesh: EmptyMesh,
) -> None:
    empty_mesh.stages = empty_stages(chunks=3)
    async with empty_mesh.running() as client:
        events = await process(client, features=EVERYTHING, template_id=TEMPLATE)
        done = events[-1].finished.job
        assert job.JobState.Name(done.state) == "JOB_STATE_COMPLETE"
        assert done.results.raw_transcript == "chunk 0\nchunk 1\nchunk 2"
        assert done.results.clean_transcript == "Chunk 0. Chunk 1. Chunk 2."
        assert done.results.summary.content["parts"] == 3
        assert done.results.enhancement_metrics.edit_rate == pytest.approx(0.1)
        kept = done.results.enhancement_metrics.kept_segment_ids
        assert list(kept) == [done.results.segments[1].segment_id]
        assert done.metrics.kept_segment_count == 1
        assert [stage.units for stage in done.metrics.stages] == [1, 3, 4, 3, 4]
        assert {stage.stage for stage in done.versions.stages} == {1, 2, 3, 4, 6}
        assert await client.get_job(done.job_id) == done


async def test_a_job_holds_only_the_features_that_were_asked_for(empty_mesh: EmptyMesh) -> None:
    async with empty_mesh.running() as client:
        done = (await process(client, features=RAW))[-1].finished.job
        assert done.results.raw_transcript
        assert not done.results.HasField("clean_transcript")
        assert not done.results.HasField("summary")
        assert not empty_mesh.stages["enhancement"].runs
        assert not empty_mesh.stages["summary"].runs


async def test_a_watcher_hears_each_event_once_and_in_order(empty_mesh: EmptyMesh) -> None:
    empty_mesh.stages = empty_stages(chunks=4)
    async with empty_mesh.running() as client:
        events = await process(client, features=("clean_transcript",))
        sequences = [event.sequence for event in events if event.sequence]
        assert sequences == list(range(1, len(sequences) + 1))
        assert events[0].WhichOneof("event") == "accepted"
        assert events[-1].WhichOneof("event") == "finished"
        job_id = events[0].accepted.job_id
        again = [event async for event in client.watch_job(job_id, after_sequence=3)]
        assert [event.sequence for event in again if event.sequence] == sequences[3:]
        texts = [e.segment.segment_id for e in again if e.WhichOneof("event") == "segment"]
        assert {f"c{index:04d}-s0000" for index in range(4)} == set(texts)


async def test_a_stage_that_is_down_delays_the_job_and_no_more(empty_mesh: EmptyMesh) -> None:
    async with AsyncExitStack() as stack:
        address = await stack.enter_async_context(empty_mesh.gateway())
        client = await stack.enter_async_context(Client(address))
        processing = asyncio.create_task(process(client, features=RAW))
        await asyncio.sleep(0.5)
        assert not processing.done()
        await stack.enter_async_context(empty_mesh.services())
        assert (await processing)[-1].finished.job.state == job.JOB_STATE_COMPLETE


async def test_a_fault_that_passes_is_tried_again(empty_mesh: EmptyMesh) -> None:
    async def fails_once(context: StageContext) -> None:
        if context.attempt == 1:
            raise StageError(Code.UNAVAILABLE, Reason.MODEL_UNAVAILABLE, "Not now.")

    empty_mesh.stages["asr"].hook = fails_once
    async with empty_mesh.running() as client:
        done = (await process(client, features=RAW))[-1].finished.job
        assert done.state == job.JOB_STATE_COMPLETE
        assert empty_mesh.stages["asr"].runs == [("asr.0000", 1), ("asr.0000", 2)]


async def test_a_failed_summary_keeps_the_transcripts(empty_mesh: EmptyMesh) -> None:
    async def refuses(_: StageContext) -> None:
        raise StageError(Code.INVALID_ARGUMENT, Reason.SUMMARY_INVALID, "It does not fit.")

    empty_mesh.stages["summary"].hook = refuses
    async with empty_mesh.running() as client:
        events = await process(client, features=EVERYTHING, template_id=TEMPLATE)
        done = events[-1].finished.job
        assert done.state == job.JOB_STATE_FAILED
        assert done.failures[0].reason == "SUMMARY_INVALID"
        assert done.results.clean_transcript == "Chunk 0."
        assert not done.results.HasField("summary")


async def test_a_unit_that_is_given_up_is_kept_as_a_dead_letter(empty_mesh: EmptyMesh) -> None:
    async def refuses(_: StageContext) -> None:
        raise StageError(Code.INVALID_ARGUMENT, Reason.AUDIO_CORRUPT, "It is damaged.")

    empty_mesh.stages["preprocess"].hook = refuses
    async with empty_mesh.running() as client:
        done = (await process(client, features=RAW))[-1].finished.job
        async with open_provisioned_broker(empty_mesh.nats.url, "test") as broker:
            stored = await broker.jetstream.get_last_msg(
                subjects.DEAD_LETTERS, subjects.dead_letter("preprocess", done.job_id)
            )
        letter = event.DeadLetter.FromString(stored.data or b"")
        assert letter.failure.reason == "AUDIO_CORRUPT"
        recording = letter.task.preprocess.recording
        assert recording.key == f"jobs/{done.job_id}/recording-{recording.sha256}"


async def test_cancelling_stops_the_engine_and_frees_the_worker(empty_mesh: EmptyMesh) -> None:
    async def waits_for_ever(_: StageContext) -> None:
        await asyncio.Event().wait()

    empty_mesh.stages["asr"].hook = waits_for_ever
    async with empty_mesh.running() as client:
        cancelled = await client.create_job(recording(), features=RAW)
        while not empty_mesh.stages["asr"].runs:
            await asyncio.sleep(0.01)
        shown = await client.cancel_job(cancelled.job_id)
        assert shown.state == job.JOB_STATE_CANCELLED
        await until(lambda: empty_mesh.stages["asr"].stopped)
        empty_mesh.stages["asr"].hook = empty_stages()["asr"].hook
        assert (await process(client, features=RAW))[
            -1
        ].finished.job.state == job.JOB_STATE_COMPLETE
        assert (await client.get_job(cancelled.job_id)).state == job.JOB_STATE_CANCELLED


@pytest.mark.slow
async def test_a_restart_of_the_broker_loses_nothing(empty_mesh: EmptyMesh) -> None:
    reached = asyncio.Event()
    go_on = asyncio.Event()

    async def waits(_: StageContext) -> None:
        reached.set()
        await go_on.wait()

    empty_mesh.stages["asr"].hook = waits
    async with empty_mesh.running() as client:
        processing = asyncio.create_task(process(client, features=RAW))
        await reached.wait()
        await empty_mesh.nats.stop(kill=True)
        go_on.set()
        await asyncio.sleep(0.5)
        await empty_mesh.nats.start()
        assert (await processing)[-1].finished.job.state == job.JOB_STATE_COMPLETE


async def test_jobs_are_listed_newest_first_page_by_page(empty_mesh: EmptyMesh) -> None:
    async with empty_mesh.running() as client:
        ids = [(await process(client, features=RAW))[0].accepted.job_id for _ in range(5)]
        listed = [shown.job_id async for shown in client.list_jobs(page_size=2)]
        assert listed == ids[::-1]
        failed = [j async for j in client.list_jobs(states=[job.JOB_STATE_FAILED])]
        assert failed == []


@pytest.mark.parametrize(
    ("options", "code", "reason"),
    [
        ({"features": ("summary",)}, "INVALID_ARGUMENT", "TEMPLATE_REQUIRED"),
        ({"template_id": "nothing_v9"}, "NOT_FOUND", "TEMPLATE_NOT_FOUND"),
        ({"features": RAW, "hotwords": ["x" * 65]}, "INVALID_ARGUMENT", "HOTWORDS_INVALID"),
        ({"features": RAW, "hotwords": ["x"] * 101}, "INVALID_ARGUMENT", "HOTWORDS_INVALID"),
        (
            {"features": RAW, "chunk_duration": timedelta(seconds=1)},
            "INVALID_ARGUMENT",
            "CHUNK_DURATION_INVALID",
        ),
        (
            {"features": RAW, "asr_options": asr.TranscribeOptions(decoding={"beam_size": 33})},
            "INVALID_ARGUMENT",
            "OPTION_OUT_OF_RANGE",
        ),
        (
            {"features": RAW, "enhancement_generation": common.GenerationOptions(temperature=2.5)},
            "INVALID_ARGUMENT",
            "OPTION_OUT_OF_RANGE",
        ),
        (
            {"features": RAW, "summary_generation": common.GenerationOptions(max_tokens=0)},
            "INVALID_ARGUMENT",
            "OPTION_OUT_OF_RANGE",
        ),
    ],
)
async def test_a_bad_config_is_refused_before_the_upload(
    shared_client: Client, options: JobOptions, code: str, reason: str
) -> None:
    with pytest.raises(ClientError) as refused:
        await process(shared_client, **options)
    assert (refused.value.code.name, refused.value.reason) == (code, reason)


CANNOT = [
    (asr.TranscribeOptions(task=asr.TRANSCRIBE_TASK_TRANSLATE), "task"),
    (asr.TranscribeOptions(initial_prompt="Minutes."), "initial_prompt"),
    (asr.TranscribeOptions(decoding={"beam_size": 2}), "decoding"),
    (asr.TranscribeOptions(silence={"vad_filter": False}), "silence"),
]


@pytest.mark.parametrize(("options", "name"), CANNOT)
async def test_options_that_no_worker_can_do_are_refused_before_the_upload(
    shared_client: Client, options: asr.TranscribeOptions, name: str
) -> None:
    with pytest.raises(ClientError) as refused:
        await process(shared_client, features=RAW, asr_options=options)
    assert [j async for j in shared_client.list_jobs()] == []
    assert (refused.value.code.name, refused.value.reason) == (
        "INVALID_ARGUMENT",
        "OPTION_NOT_SUPPORTED",
    )
    assert f"`{name}`" in refused.value.message


def hearing(stage: EmptyStage) -> list[Any]:
    """What a stage is asked from now on."""
    heard: list[Any] = []
    answer = stage.answer

    def hear(request: Any, context: StageContext, chunks: int) -> Any:
        heard.append(request)
        return answer(request, context, chunks)

    stage.answer = hear
    return heard


async def test_each_language_model_hears_how_it_is_to_draw_its_words(empty_mesh: EmptyMesh) -> None:
    empty_mesh.stages = empty_stages(chunks=2)
    enhancement, summary = (hearing(empty_mesh.stages[name]) for name in ("enhancement", "summary"))
    tidy, free = common.GenerationOptions(temperature=0), common.GenerationOptions(seed=7)
    async with empty_mesh.running() as client:
        events = await process(
            client, template_id=TEMPLATE, enhancement_generation=tidy, summary_generation=free
        )
        done = events[-1].finished.job
    assert done.state == job.JOB_STATE_COMPLETE
    assert [request.generation for request in enhancement] == [tidy] * 2
    assert [request.generation for request in summary] == [free] * 3


async def test_options_that_one_of_the_workers_can_do_are_taken(empty_mesh: EmptyMesh) -> None:
    able = replace(empty_mesh.stages["asr"], capabilities=["translation", "decoding_options"])
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(empty_mesh.service("asr"))
        empty_mesh.stages["asr"] = able
        client = await stack.enter_async_context(empty_mesh.running())
        for options, _ in CANNOT:
            done = (await process(client, features=RAW, asr_options=options))[-1].finished.job
            assert done.state == job.JOB_STATE_COMPLETE
            assert done.config.asr_options == options


async def test_options_are_taken_where_no_worker_says_what_it_can_do(empty_mesh: EmptyMesh) -> None:
    async with empty_mesh.gateway() as address, Client(address) as client:
        for options, _ in CANNOT:
            assert (await client.create_job(recording(), features=RAW, asr_options=options)).job_id


async def test_a_full_queue_refuses_at_once_with_a_retry_hint(empty_mesh: EmptyMesh) -> None:
    empty_mesh.gateway_options["max_active_jobs"] = 1
    async with empty_mesh.gateway() as address, Client(address) as client:
        await client.create_job(recording(), features=RAW)
        with pytest.raises(ClientError) as refused:
            await client.create_job(recording(), features=RAW)
        assert refused.value.reason == "QUEUE_FULL"
        assert refused.value.retry_after is not None


async def test_an_upload_over_the_limit_is_refused_naming_it(empty_mesh: EmptyMesh) -> None:
    empty_mesh.gateway_options["max_upload_bytes"] = 4
    async with empty_mesh.gateway() as address, Client(address) as client:
        with pytest.raises(ClientError, match="4 bytes") as refused:
            await client.create_job(recording(), features=RAW)
        assert refused.value.code.name == "RESOURCE_EXHAUSTED"
        assert [j async for j in client.list_jobs()] == []


def _parts(audio: bytes, finish: job.UploadFinish | None) -> list[job.CreateJobRequest]:
    config = job.JobConfig(features=[job.FEATURE_RAW_TRANSCRIPT])
    parts = [job.UploadPart(config=config), job.UploadPart(audio=audio)]
    if finish is not None:
        parts.append(job.UploadPart(finish=finish))
    return [job.CreateJobRequest(upload=part) for part in parts]


CONFIG = job.JobConfig(features=[job.FEATURE_RAW_TRANSCRIPT])
FINISH = job.UploadFinish(size_bytes=3, sha256=hashlib.sha256(b"abc").hexdigest())


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (
            [{"config": job.JobConfig(features=[job.FEATURE_RAW_TRANSCRIPT])}, {"audio": b"abc"}],
            "UPLOAD_OUT_OF_ORDER",
        ),
        ([{"audio": b"abc"}, {"finish": FINISH}, {"audio": b"d"}], "UPLOAD_OUT_OF_ORDER"),
        ([{"audio": b"abc"}, {"finish": FINISH}, {"finish": FINISH}], "UPLOAD_OUT_OF_ORDER"),
        ([{"audio": b"abc"}, {}, {"finish": FINISH}], "UPLOAD_OUT_OF_ORDER"),
        ([{"audio": b"x" * (4 * 1024 * 1024 + 1)}], "UPLOAD_PART_TOO_LARGE"),
    ],
)
async def test_parts_are_taken_in_their_order_and_size_only(
    shared_client: Client, sent: list[dict[str, Any]], reason: str
) -> None:
    parts = [job.UploadPart(config=CONFIG), *(job.UploadPart(**part) for part in sent)]
    requests = [job.CreateJobRequest(upload=part) for part in parts]
    async with grpc.aio.insecure_channel(shared_client.address) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await answer_to(job_pb2_grpc.JobServiceStub(channel).CreateJob(), requests)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert reason in str(refused.value.trailing_metadata())
    assert [j async for j in shared_client.list_jobs()] == []


async def test_a_part_of_the_greatest_size_is_taken(empty_mesh: EmptyMesh) -> None:
    async def one_part() -> AsyncIterator[bytes]:
        yield b"x" * (4 * 1024 * 1024)

    async with empty_mesh.gateway() as address, Client(address) as client:
        assert (await client.create_job(one_part(), features=RAW)).job_id


async def test_a_client_that_keeps_its_side_open_is_answered(empty_mesh: EmptyMesh) -> None:
    sent: list[dict[str, Any]] = [{"config": CONFIG}, {"audio": b"abc"}, {"finish": FINISH}]
    async with empty_mesh.running() as client, grpc.aio.insecure_channel(client.address) as channel:
        call = job_pb2_grpc.JobServiceStub(channel).ProcessAudio()
        for part in sent:
            await call.write(job.ProcessAudioRequest(upload=job.UploadPart(**part)))
        told = [response.event.WhichOneof("event") async for response in call]
        assert (told[0], told[-1]) == ("accepted", "finished")
        assert await call.code() is grpc.StatusCode.OK


@pytest.mark.parametrize(
    ("audio", "finish", "reason"),
    [
        (b"abc", None, "UPLOAD_INCOMPLETE"),
        (b"abc", job.UploadFinish(size_bytes=4, sha256="0" * 64), "UPLOAD_INCOMPLETE"),
        (
            b"",
            job.UploadFinish(size_bytes=0, sha256=hashlib.sha256(b"").hexdigest()),
            "AUDIO_EMPTY",
        ),
    ],
)
async def test_a_truncated_upload_becomes_no_job(
    shared_client: Client, audio: bytes, finish: job.UploadFinish | None, reason: str
) -> None:
    async with grpc.aio.insecure_channel(shared_client.address) as channel:
        stub = job_pb2_grpc.JobServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await answer_to(stub.CreateJob(), _parts(audio, finish))
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert reason in str(refused.value.trailing_metadata())
    assert [j async for j in shared_client.list_jobs()] == []


async def test_a_submit_rides_out_a_broker_that_starts_again(
    empty_mesh: EmptyMesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outages, "RIDE_OUT_SECONDS", PATIENCE_SECONDS)
    async with empty_mesh.gateway() as address, Client(address) as client:
        await empty_mesh.nats.stop(kill=True)
        submitting = asyncio.create_task(client.create_job(recording(), features=RAW))
        await asyncio.sleep(0.5)
        assert not submitting.done()
        await empty_mesh.nats.start()
        made = await submitting
        assert [j.job_id async for j in client.list_jobs()] == [made.job_id]


async def test_a_submit_is_refused_where_the_broker_stays_away(
    empty_mesh: EmptyMesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outages, "RIDE_OUT_SECONDS", 0.5)
    async with empty_mesh.gateway() as address, Client(address) as client:
        await empty_mesh.nats.stop()
        await asyncio.sleep(0.1)
        with pytest.raises(ClientError) as refused:
            await client.create_job(recording(), features=RAW)
        assert (refused.value.code.name, refused.value.reason) == (
            "UNAVAILABLE",
            "BROKER_UNAVAILABLE",
        )
        assert refused.value.retry_after is not None


@pytest.mark.parametrize("job_id", ["../x", "a.b", "*", ">", "", "x\0"])
async def test_a_job_id_that_is_none_is_refused(shared_client: Client, job_id: str) -> None:
    with pytest.raises(ClientError) as refused:
        await shared_client.get_job(job_id)
    assert refused.value.code.name == "INVALID_ARGUMENT"


async def test_an_absent_job_is_not_found(shared_client: Client) -> None:
    absent = "01900000-0000-7000-8000-000000000000"
    for asking in (shared_client.get_job(absent), shared_client.cancel_job(absent)):
        with pytest.raises(ClientError) as refused:
            await asking
        assert refused.value.reason == "JOB_NOT_FOUND"
