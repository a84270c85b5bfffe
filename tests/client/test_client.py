"""The client against a real gRPC server whose jobs follow a script."""

import asyncio
import hashlib
from contextlib import aclosing
from datetime import timedelta

import grpc
import pytest

from maie.asr.v1 import asr_pb2 as asr
from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie_client import Client, ClientError, ClientReason
from maie_client.upload import MESSAGE_BYTES
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from tests.chaos.silence import SilentProxy
from tests.client.fake_gateway import JOB_ID, FakeJobs, script, serving
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.unit

DATA = bytes(range(256)) * 3000


@pytest.fixture
def recording(tmp_path):
    path = tmp_path / "talk.flac"
    path.write_bytes(DATA)
    return path


async def heard(events) -> list[job.JobEvent]:
    async with aclosing(events):
        return [event async for event in events]


async def test_a_file_arrives_whole_and_its_events_come_back_in_order(recording):
    jobs = FakeJobs(script())
    async with serving(jobs) as address, Client(address) as client:
        events = await heard(
            client.process(recording, features=["summary"], template_id="meeting_notes_v1")
        )
    assert events == script()
    assert jobs.upload.config.filename == "talk.flac"
    assert jobs.upload.config.features == [job.FEATURE_SUMMARY]
    assert jobs.upload.config.template_id == "meeting_notes_v1"
    assert jobs.upload.finish == job.UploadFinish(
        size_bytes=len(DATA), sha256=hashlib.sha256(DATA).hexdigest()
    )
    assert jobs.upload.sha256 == jobs.upload.finish.sha256
    assert max(jobs.upload.sizes) == MESSAGE_BYTES


async def test_options_reach_the_gateway_as_the_contract_has_them(recording):
    jobs = FakeJobs(script())
    async with serving(jobs) as address, Client(address) as client:
        await client.create_job(
            recording,
            filename="other.wav",
            language_code="en",
            hotwords=["maie"],
            word_time_offsets=False,
            asr_options=asr.TranscribeOptions(
                language_code="de", task=asr.TRANSCRIBE_TASK_TRANSLATE
            ),
            enhancement_generation=common.GenerationOptions(temperature=0.0),
            summary_generation=common.GenerationOptions(seed=7),
            chunk_duration=timedelta(seconds=7.5),
        )
    config = jobs.upload.config
    assert config.filename == "other.wav"
    assert config.asr_options.language_code == "en"
    assert config.asr_options.hotwords == ["maie"]
    assert config.asr_options.word_time_offsets is False
    assert config.asr_options.HasField("word_time_offsets")
    assert config.asr_options.task == asr.TRANSCRIBE_TASK_TRANSLATE
    assert config.enhancement_generation == common.GenerationOptions(temperature=0.0)
    assert config.summary_generation == common.GenerationOptions(seed=7)
    assert config.chunk_duration.ToTimedelta() == timedelta(seconds=7.5)


async def test_bytes_of_any_size_are_sent_in_messages_of_a_good_size():
    async def pieces():
        yield DATA
        yield b""
        yield b"end"

    jobs = FakeJobs(script())
    async with serving(jobs) as address, Client(address) as client:
        accepted = await client.create_job(pieces(), filename="talk.wav")
    assert accepted.job_id == JOB_ID
    assert jobs.upload.finish is not None
    assert jobs.upload.finish.size_bytes == len(DATA) + 3
    assert jobs.upload.sha256 == hashlib.sha256(DATA + b"end").hexdigest()
    assert max(jobs.upload.sizes) <= MESSAGE_BYTES


async def test_a_job_is_followed_on_when_the_stream_breaks_after_accepted(recording):
    jobs = FakeJobs(script())
    jobs.cut_after = 5
    async with serving(jobs) as address, Client(address) as client:
        events = await heard(client.process(recording))
    assert jobs.watched_after == [3]
    assert [event.sequence for event in events if event.sequence] == [1, 2, 3, 4]
    assert events[-1].HasField("finished")


async def test_a_job_survives_a_gateway_that_is_killed_and_comes_back(recording):
    first, again = FakeJobs(script()[:2]), FakeJobs(script())
    first.cut_after = 2
    async with serving(first) as address:
        pass  # its port is free again, and known
    async with Client(address) as client, aclosing(client.process(recording)) as process:
        async with serving(first, address):
            events = [await anext(process), await anext(process)]
        going_on = asyncio.create_task(heard(process))
        await asyncio.sleep(0.5)
        async with serving(again, address):
            events += await going_on
    assert again.watched_after == [2]
    assert [event.sequence for event in events if event.sequence] == [1, 2, 3, 4]
    assert events[-1].HasField("finished")


async def test_patience_ends_in_the_error_of_the_connection(recording):
    jobs = FakeJobs(script())
    jobs.cut_after = 2
    async with serving(jobs) as address:
        pass
    async with Client(address, patience=timedelta(seconds=0.3)) as client:
        async with serving(jobs, address), aclosing(client.process(recording)) as process:
            await anext(process)
        with pytest.raises(ClientError, match=address):
            await heard(client.watch_job(JOB_ID))


async def test_a_watch_that_is_given_up_is_cancelled_at_the_gateway():
    jobs = FakeJobs(script()[:2])
    async with serving(jobs) as address, Client(address) as client:
        async with aclosing(client.watch_job(JOB_ID)) as events:
            await anext(events)
            assert jobs.open_calls == 1
        async with asyncio.timeout(PATIENCE_SECONDS):
            await jobs.left.wait()
    assert jobs.open_calls == 0


async def test_a_refused_upload_says_why(recording):
    jobs = FakeJobs(script())
    jobs.refusal = StageError(
        Code.INVALID_ARGUMENT, Reason.TEMPLATE_REQUIRED, "Name one.", field="config.template_id"
    )
    async with serving(jobs) as address, Client(address) as client:
        for attempt in (
            lambda: heard(client.process(recording)),
            lambda: client.create_job(recording),
        ):
            with pytest.raises(ClientError) as caught:
                await attempt()
            assert caught.value.code is grpc.StatusCode.INVALID_ARGUMENT
            assert caught.value.reason == "TEMPLATE_REQUIRED"
            assert caught.value.message == "Name one."
            assert caught.value.fields == {"config.template_id": "Name one."}


async def test_a_full_queue_says_when_to_come_back(recording):
    jobs = FakeJobs(script())
    jobs.refusal = StageError(
        Code.RESOURCE_EXHAUSTED, Reason.QUEUE_FULL, "Full.", retry_after=timedelta(seconds=7)
    )
    async with serving(jobs) as address, Client(address) as client:
        with pytest.raises(ClientError) as caught:
            await client.create_job(recording)
    assert caught.value.retry_after == timedelta(seconds=7)
    assert not caught.value.is_break


async def test_no_gateway_is_one_sentence_that_names_the_address():
    async with Client("127.0.0.1:1") as client:
        with pytest.raises(ClientError, match=r"127\.0\.0\.1:1") as caught:
            await client.get_job(JOB_ID)
    assert caught.value.reason == ClientReason.GATEWAY_UNREACHABLE


async def test_a_network_that_is_slow_to_connect_is_waited_for():
    async with (
        serving(FakeJobs(script())) as address,
        SilentProxy(address, delay_seconds=0.6) as proxy,
        Client(proxy.address) as client,
    ):
        assert (await client.get_job(JOB_ID)).job_id == JOB_ID


async def test_an_unknown_feature_is_refused_before_anything_is_sent(recording):
    async with Client("127.0.0.1:1") as client:
        with pytest.raises(ClientError, match="raw_transcript") as caught:
            await client.create_job(recording, features=["poem"])
    assert caught.value.reason == "FEATURE_UNKNOWN"


async def test_a_file_that_is_not_there_is_an_os_error(tmp_path):
    async with serving(FakeJobs(script())) as address, Client(address) as client:
        for attempt in (
            lambda: heard(client.process(tmp_path / "none.wav")),
            lambda: client.create_job(tmp_path / "none.wav"),
        ):
            with pytest.raises(FileNotFoundError):
                await attempt()


async def test_jobs_are_listed_over_all_pages():
    async with serving(FakeJobs(script())) as address, Client(address) as client:
        assert [found.job_id async for found in client.list_jobs(page_size=2)] == list("01234")


async def test_jobs_are_given_watched_and_cancelled():
    async with serving(FakeJobs(script())) as address, Client(address) as client:
        assert (await client.get_job(JOB_ID)).results.clean_transcript == "Hello. Goodbye."
        assert (await client.cancel_job(JOB_ID)).state == job.JOB_STATE_CANCELLED
        assert await heard(client.watch_job(JOB_ID)) == script()
        later = await heard(client.watch_job(JOB_ID, after_sequence=3))
        assert [event.sequence for event in later if event.sequence] == [4]
        with pytest.raises(ClientError, match="no such job"):
            await client.get_job("other")


async def test_a_result_of_many_megabytes_is_received():
    done = job.Job(job_id=JOB_ID, state=job.JOB_STATE_COMPLETE)
    done.results.raw_transcript = "word " * 4_000_000
    async with serving(FakeJobs(script(done))) as address, Client(address) as client:
        events = await heard(client.watch_job(JOB_ID))
    assert len(events[-1].finished.job.results.raw_transcript) == 20_000_000


async def test_the_catalog_and_health_are_read():
    async with serving(FakeJobs(script())) as address, Client(address) as client:
        assert [model.worker_count for model in await client.list_models()] == [2]
        assert [each.title for each in await client.list_templates()] == ["Meeting notes"]
        assert "decisions" in (await client.get_template("meeting_notes_v1")).schema_json
        assert (await client.get_mesh()).max_active_jobs == 50
        assert await client.health()
        assert await client.health("maie.job.v1.JobService")


@pytest.mark.parametrize("token", ["schlüssel", "a\nb", "a\x00b", "キー"])
async def test_a_token_that_cannot_be_sent_is_refused_as_wrong(token: str) -> None:
    for given in (token, lambda: token):
        async with Client("localhost:1", token=given) as client:
            with pytest.raises(ClientError) as refused:
                await client.get_job("x")
            assert refused.value.code is grpc.StatusCode.UNAUTHENTICATED
            assert refused.value.reason == "CREDENTIALS_INVALID"
