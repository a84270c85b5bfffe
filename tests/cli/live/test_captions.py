"""What `maie live` prints."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import signal
from pathlib import Path

import pytest

from maie.job.v1 import job_pb2 as job
from maie.live.v1 import live_pb2 as live
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from tests.cli.live.running import ended, maie_live, words, write_wav
from tests.client.fake_gateway import FakeJobs, finished_job, script
from tests.client.live.fake_live import SESSION_ID, TOKEN, Truth, live_gateway
from tests.waiting import until

pytestmark = pytest.mark.unit


async def line_of(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().rstrip()


async def test_in_a_pipe_each_final_is_a_line(tmp_path: Path) -> None:
    talk = write_wav(tmp_path / "talk.wav", 7)
    truth = Truth(reads=words)
    async with live_gateway(truth) as address:
        code, lines, errors = await ended(
            *(address, talk, "--fast", "--language", "en", "--asr", "hotwords=maie"),
            *(
                "--label",
                "team=search",
                "--turns",
                "min_silence=0.3",
                "--partials",
                "min_stability=0.9",
            ),
        )
    assert (code, lines) == (0, ["[00:00] 0 100 200", "[00:00] 300 400 500", "[00:00] 600"])
    assert errors == f"job {SESSION_ID}: 0.0 s of audio, 0 utterances\n"
    config = truth.starts[0].config
    assert config.job.features == [job.FEATURE_RAW_TRANSCRIPT]
    assert config.job.display_name == "talk"
    assert config.job.labels == {"team": "search"}
    assert config.job.asr_options.language_code == "en"
    assert config.job.asr_options.hotwords == ["maie"]
    assert config.turns.min_silence.ToMilliseconds() == 300
    assert config.partials.min_stability == 0.9


async def test_json_is_a_line_for_each_event_without_the_secret(tmp_path: Path) -> None:
    talk = write_wav(tmp_path / "talk.wav", 4)
    truth = Truth(reads=words)
    async with live_gateway(truth) as address:
        code, lines, _ = await ended(address, talk, "--fast", "--json")
    events = [json.loads(line) for line in lines]
    assert code == 0
    assert TOKEN not in "".join(lines)
    assert events[0]["started"]["session_id"] == SESSION_ID
    assert [event["final"]["segment"]["text"] for event in events if "final" in event] == [
        "0 100 200",
        "300",
    ]
    assert any("partial" in event for event in events)
    assert events[-1]["ended"]["job_id"] == SESSION_ID


async def test_several_files_are_a_track_each(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    anna = write_wav(tmp_path / "anna.wav", 3)
    ben = write_wav(tmp_path / "ben.wav", 3, 10)
    again = write_wav(tmp_path / "other" / "ben.wav", 3, 20)
    truth = Truth(reads=words)
    async with live_gateway(truth) as address:
        code, lines, _ = await ended(address, anna, ben, again, "--fast")
    assert code == 0
    assert sorted(lines) == [
        "[00:00] anna: 0 100 200",
        "[00:00] ben: 1000 1100 1200",
        "[00:00] ben: 2000 2100 2200",
    ]
    assert truth.texts().keys() == {"anna", "ben", "ben-2"}


async def test_a_file_is_sent_in_real_time(tmp_path: Path) -> None:
    talk = write_wav(tmp_path / "talk.wav", 10)
    truth = Truth(reads=words)
    async with live_gateway(truth) as address:
        started = asyncio.get_running_loop().time()
        await ended(address, talk)
    assert asyncio.get_running_loop().time() - started >= 1.0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_ctrl_c_ends_the_session_and_names_its_job(
    tmp_path: Path, number: signal.Signals
) -> None:
    talk = write_wav(tmp_path / "talk.wav", 300)
    truth = Truth(reads=words)
    async with live_gateway(truth) as address, maie_live(address, talk) as process:
        first = await line_of(process)
        process.send_signal(number)
        output, errors = await process.communicate()
    assert process.returncode == 0
    assert truth.ended
    assert [first, *output.decode().splitlines()] == [
        f"[00:00] {text}" for text in truth.texts()[""]
    ]
    assert f"job {SESSION_ID}: " in errors.decode()


async def test_ctrl_c_twice_leaves_a_session_that_does_not_end(tmp_path: Path) -> None:
    talk = write_wav(tmp_path / "talk.wav", 300)
    async with live_gateway(Truth()) as address:
        pass
    truth = Truth(reads=words)
    async with live_gateway(truth, address):
        running = maie_live(address, talk)
        process = await running.__aenter__()
        await line_of(process)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert b"once more" in await process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _, errors = await process.communicate()
    assert process.returncode == 130
    assert errors.decode() == f"what was said so far is in job {SESSION_ID}\n"
    await running.__aexit__(None, None, None)


async def test_a_gateway_that_restarts_costs_nothing(tmp_path: Path) -> None:
    talk = write_wav(tmp_path / "talk.wav", 30)
    async with live_gateway(Truth()) as address:
        pass
    truth = Truth(reads=words)
    running = maie_live(address, talk)
    async with live_gateway(truth, address):
        process = await running.__aenter__()
        first = await line_of(process)
    async with live_gateway(truth, address):
        output, _ = await process.communicate()
    assert process.returncode == 0
    said = " ".join(line.partition("] ")[2] for line in [first, *output.decode().splitlines()])
    assert said == " ".join(str(100 * number) for number in range(30))
    await running.__aexit__(None, None, None)


async def test_a_summary_comes_at_the_end_where_it_is_asked_for(tmp_path: Path) -> None:
    talk = write_wav(tmp_path / "talk.wav", 3)
    done = finished_job()
    done.results.summary.template_id = "meeting_notes_v1"
    done.results.summary.content.update({"title": "Numbers", "decisions": ["Count on."]})
    truth = Truth(reads=words)
    async with live_gateway(truth, jobs=FakeJobs(script(done))) as address:
        _, lines, _ = await ended(
            *(address, talk, "--fast", "--feature", "summary"),
            *("--template", "meeting_notes_v1"),
        )
        assert truth.starts[0].config.job.features == [job.FEATURE_SUMMARY]
        assert lines[1:] == ["# Numbers", "", "## Decisions", "", "- Count on."]
    truth = Truth(reads=words)
    async with live_gateway(truth, jobs=FakeJobs(script(done))) as address:
        _, lines, _ = await ended(address, talk, "--fast", "--template", "meeting_notes_v1")
        assert lines[-1] == "Hello. Goodbye."
        assert job.FEATURE_CLEAN_TRANSCRIPT in truth.starts[0].config.job.features
    truth = Truth(reads=words, summary=live.SessionSummary(summary=done.results.summary))
    async with live_gateway(truth, jobs=FakeJobs(script(done))) as address:
        _, lines, _ = await ended(
            address, talk, "--fast", "--json", "--template", "meeting_notes_v1"
        )
        assert json.loads(lines[-2])["summary"]["summary"]["content"]["title"] == "Numbers"
        assert json.loads(lines[-1])["finished"]["job"]["results"]["summary"]["content"]["title"]


async def test_ctrl_c_while_the_summary_is_made_leaves_the_job_running(tmp_path: Path) -> None:
    talk = write_wav(tmp_path / "talk.wav", 3)
    jobs = FakeJobs(script()[:2])  # it does not finish
    async with (
        live_gateway(Truth(reads=words), jobs=jobs) as address,
        maie_live(address, talk, "--fast", "--template", "meeting_notes_v1") as process,
    ):
        await until(lambda: jobs.open_calls)
        process.send_signal(signal.SIGINT)
        _, errors = await process.communicate()
    assert process.returncode == 130
    assert errors.decode().splitlines()[1:] == [
        f"the job goes on; follow it with: maie jobs watch {SESSION_ID}"
    ]


async def test_a_job_that_fails_afterwards_is_the_exit_code(tmp_path: Path) -> None:
    talk = write_wav(tmp_path / "talk.wav", 3)
    jobs = FakeJobs(script(finished_job(job.JOB_STATE_CANCELLED)))
    async with live_gateway(Truth(reads=words), jobs=jobs) as address:
        code, _, errors = await ended(address, talk, "--fast", "--feature", "clean_transcript")
    assert code == 1
    assert "error: The job was cancelled.\n" in errors


async def test_a_refusal_is_a_sentence_and_an_exit_code(tmp_path: Path) -> None:
    talk = write_wav(tmp_path / "talk.wav", 3)
    truth = Truth(reads=words)
    truth.refusal = StageError(Code.RESOURCE_EXHAUSTED, Reason.LIVE_BUSY, "No room.")
    async with live_gateway(truth) as address:
        assert await ended(address, talk, "--fast") == (3, [], "error: No room.\n")
        truth.refusal = StageError(Code.INVALID_ARGUMENT, Reason.TEMPLATE_REQUIRED, "Name one.")
        assert await ended(address, talk, "--fast") == (2, [], "error: Name one.\n")
    code, _, errors = await ended("127.0.0.1:1", talk)
    assert code == 3
    assert "127.0.0.1:1" in errors
    assert errors.count("\n") == 1


@pytest.mark.parametrize("colour", [True, False])
async def test_a_terminal_shows_what_is_said_now_below_what_was_said(
    tmp_path: Path, *, colour: bool
) -> None:
    files = [write_wav(tmp_path / "anna.wav", 3), write_wav(tmp_path / "ben.wav", 3, 10)]
    controller, terminal = pty.openpty()
    os.set_blocking(controller, False)
    environment = {"TERM": "xterm-256color", "COLUMNS": "60"} | (
        {} if colour else {"NO_COLOR": "1"}
    )
    async with (
        live_gateway(Truth(reads=words)) as address,
        maie_live(address, *files, stdout=terminal, environment=environment) as process,
    ):
        os.close(terminal)
        drawn = await screen_of(controller, process)
    os.close(controller)
    assert process.returncode == 0
    for text in ("0 100 200", "1000 1100 1200"):
        assert f"{text}\r\n" in drawn  # the final, in the terminal's own colour
    assert "\x1b[2m1000 1100\x1b[0m" in drawn  # a partial, dim
    assert ("\x1b[1;36manna: \x1b[0m" in drawn) is colour
    assert ("\x1b[1;35mben: \x1b[0m" in drawn) is colour
    assert "live 00:0" in drawn


async def screen_of(controller: int, process: asyncio.subprocess.Process) -> str:
    """All that a command writes to its terminal."""
    waiting = asyncio.create_task(process.communicate())
    output = b""

    def more() -> bool:
        nonlocal output
        over = waiting.done()
        try:
            output += os.read(controller, 65536)
        except BlockingIOError:
            return over
        except OSError:  # the far side is closed, and all is read
            return True
        return False

    await until(more)
    await waiting
    return output.decode()
