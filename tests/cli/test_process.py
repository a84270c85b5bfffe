"""How `maie process` ends, whatever a gateway answers."""

import asyncio
import json
import os
import signal
from datetime import timedelta

import pytest

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie_cli.exits import INVALID_ARGUMENT
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from tests.cli.command import MAIE, Ended, maie_at
from tests.client.fake_gateway import JOB_ID, FakeJobs, finished_job, script, serving

pytestmark = pytest.mark.unit

INTERNAL = 13


@pytest.fixture
def recording(tmp_path):
    path = tmp_path / "talk.wav"
    path.write_bytes(b"sound")
    return path


async def start(address: str, *arguments: object):
    return await asyncio.create_subprocess_exec(
        *(str(MAIE), *map(str, arguments)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "MAIE_GATEWAY": address},
    )


async def maie(jobs: FakeJobs, *arguments: object) -> Ended:
    """Runs the command against a gateway with these jobs."""
    async with serving(jobs) as address:
        return await maie_at(address, *arguments)


def failed_job(code: int) -> job.Job:
    done = finished_job(job.JOB_STATE_FAILED)
    for unit in ("summary.map.0000", "summary.map.0001"):
        done.failures.append(
            common.Failure(code=code, reason="BROKEN", message="It broke.", unit=unit)
        )
    return done


async def test_a_url_is_fetched_by_the_gateway_and_shown_without_its_query(recording, tmp_path):
    done = finished_job()
    done.config.filename = "talk.mp3"
    jobs = FakeJobs(script(done))
    url = "https://example.com/a/monday%20talk.mp3?key=secret"
    code, output, errors = await maie(jobs, "process", url, recording, "--output", tmp_path / "out")
    assert (code, jobs.urls) == (0, [url])
    assert "https://example.com/a/monday%20talk.mp3: accepted" in errors
    assert "secret" not in output + errors
    assert {path.stem for path in (tmp_path / "out").iterdir()} == {"monday-talk", "talk"}
    jobs.refusal = StageError(Code.FAILED_PRECONDITION, Reason.FETCH_NOT_FOUND, "Nothing there.")
    assert await maie(jobs, "process", url) == (2, "", "error: Nothing there.\n")


async def test_without_options_notes_of_a_meeting_are_printed(recording):
    jobs = FakeJobs(script())
    code, output, errors = await maie(jobs, "process", recording)
    assert code == 0
    assert output == "# talk.wav\n\n## Transcript\n\nHello. Goodbye.\n"
    assert "PROCESSING_ASR" in errors
    assert jobs.upload.config.template_id == "meeting_notes_v1"
    assert list(jobs.upload.config.features) == []


@pytest.mark.parametrize(("cause", "expected"), [(INTERNAL, 1), (INVALID_ARGUMENT, 2)])
async def test_a_failed_job_keeps_its_transcript_and_says_once_why(recording, cause, expected):
    jobs = FakeJobs(script(failed_job(cause)))
    code, output, errors = await maie(jobs, "process", recording, "--json", "-q")
    assert code == expected
    assert json.loads(output)["state"] == "FAILED"
    assert json.loads(output)["results"]["clean_transcript"] == "Hello. Goodbye."
    assert errors == "error: It broke.\n"


async def test_a_cancelled_job_is_status_1(recording):
    jobs = FakeJobs(script(finished_job(job.JOB_STATE_CANCELLED)))
    code, _, errors = await maie(jobs, "process", recording, "-q")
    assert (code, errors) == (1, "error: The job was cancelled.\n")


async def test_a_full_queue_is_status_3_and_says_when_to_come_back(recording):
    jobs = FakeJobs(script())
    jobs.refusal = StageError(
        Code.RESOURCE_EXHAUSTED, Reason.QUEUE_FULL, "Too busy.", retry_after=timedelta(seconds=7)
    )
    code, output, errors = await maie(jobs, "process", recording, "-q")
    assert (code, output, errors) == (3, "", "error: Too busy. (try again in 7 s)\n")


async def test_an_upload_that_is_too_large_is_wrong_input(recording):
    jobs = FakeJobs(script())
    jobs.refusal = StageError(Code.RESOURCE_EXHAUSTED, Reason.UPLOAD_TOO_LARGE, "Too large.")
    code, _, _ = await maie(jobs, "process", recording, "-q")
    assert code == 2


async def test_ctrl_c_leaves_the_job_running_and_says_how_to_follow_it(recording):
    jobs = FakeJobs(script()[:3])
    async with serving(jobs) as address:
        process = await start(address, "process", recording)
        await process.stderr.readuntil(b"PROCESSING_ASR")
        process.send_signal(signal.SIGINT)
        _, errors = await process.communicate()
    assert process.returncode == 130
    assert f"maie jobs watch {JOB_ID}" in errors.decode()
    assert "Traceback" not in errors.decode()


async def test_only_wanted_formats_are_made(recording, tmp_path):
    folder = tmp_path / "results"
    jobs = FakeJobs(script())
    code, output, _ = await maie(
        jobs, "process", recording, "-q", "--output", folder, "--format", "srt"
    )
    assert code == 0
    assert output == f"{folder / 'talk.srt'}\n"
    assert [path.name for path in folder.iterdir()] == ["talk.srt"]


async def test_a_reader_that_has_had_enough_is_no_error(recording):
    jobs = FakeJobs(script())
    async with serving(jobs) as address:
        process = await start(address, "process", *[recording] * 3, "-q")
        process.stdout._transport.close()
        errors = await process.stderr.read()
        await process.wait()
    assert errors == b""
