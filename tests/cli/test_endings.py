"""Whatever goes wrong, a person reads a sentence, and the other recordings are done."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie_cli.exits import INVALID_ARGUMENT
from maie_cli.guard import guarded
from maie_runtime.rpc.server import GrpcServer
from tests.cli.command import MAIE, Ended, maie_at
from tests.client.fake_gateway import JOB_ID, FakeJobs, finished_job, script, serving
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.unit

LATIN = os.fsencode("caf") + b"\xe9"


async def maie(jobs: FakeJobs, *arguments: object, cwd: Path) -> Ended:
    async with serving(jobs) as address:
        return await maie_at(address, *arguments, cwd=cwd)


@pytest.fixture
def recordings(tmp_path: Path) -> list[str]:
    names = ["a.opus", "b.opus"]
    for name in names:
        (tmp_path / name).write_bytes(b"sound")
    return names


def written(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_a_name_that_is_no_utf8_is_sent_and_ends_no_batch(
    tmp_path: Path, recordings: list[str]
) -> None:
    (tmp_path / os.fsdecode(LATIN + b".opus")).write_bytes(b"sound")
    jobs = FakeJobs(script())
    code, output, errors = await maie(
        *(jobs, "process", "-q", "--format", "txt", "--output", "out"),
        *(*recordings, LATIN + b".opus"),
        cwd=tmp_path,
    )
    assert (code, errors) == (0, "")
    assert output.split() == ["out/a.txt", "out/b.txt", "out/caf.txt"]
    assert jobs.upload.config.filename in {"caf\ufffd.opus", *recordings}
    code, output, errors = await maie(
        *(jobs, "process", "-q", "--name", LATIN, "--label", b"of=" + LATIN),
        *("--template", LATIN, "--request-id", LATIN, "--language", LATIN),
        *("--asr", b"hotwords=" + LATIN, LATIN + b".opus"),
        cwd=tmp_path,
    )
    assert (code, errors) == (0, "")
    assert output.startswith("# caf\ufffd.opus\n")
    sent = jobs.upload.config
    for text in (sent.display_name, sent.labels["of"], sent.template_id, sent.request_id):
        assert text == "caf\ufffd"
    assert sent.filename == "caf\ufffd.opus"
    assert sent.asr_options.language_code == "caf\ufffd"
    assert list(sent.asr_options.hotwords) == ["caf\ufffd"]


@pytest.mark.parametrize(
    "command",
    [
        ("jobs", "show"),
        ("process", "-q"),
        ("process", "-q", "--gateway", LATIN, "a.opus", "--label"),
        ("process", "--gateway", LATIN, "a.opus", "--name"),
    ],
)
async def test_any_bytes_in_a_command_end_in_one_sentence(
    tmp_path: Path, recordings: list[str], command: tuple[str, ...]
) -> None:
    code, output, errors = await maie(FakeJobs(script()), *command, LATIN, cwd=tmp_path)
    assert (code, output) == (2, "")
    assert "maie has a fault" not in errors
    if "--label" not in command:
        assert re.fullmatch(r"error: [^\n]+\n", errors)


async def test_what_cannot_be_sent_does_not_end_the_others(
    tmp_path: Path, recordings: list[str]
) -> None:
    code, output, errors = await maie(
        *(FakeJobs(script()), "process", "-q", "--format", "txt", "--output", "out"),
        *("gone.opus", LATIN + b".wav", *recordings, "."),
        cwd=tmp_path,
    )
    assert code == 2
    assert output.split() == ["out/a.txt", "out/b.txt"]
    assert errors.splitlines() == [
        "error: gone.opus: There is no file gone.opus",
        "error: caf\ufffd.wav: There is no file caf\ufffd.wav",
        "error: .: Cannot use .: Is a directory",
    ]


async def test_a_folder_in_the_place_of_a_result_stops_that_recording_alone(
    tmp_path: Path, recordings: list[str]
) -> None:
    (tmp_path / "out" / "a.txt").mkdir(parents=True)
    jobs = FakeJobs(script())
    code, _, errors = await maie(
        jobs, "process", "-q", "--output", "out", *recordings, cwd=tmp_path
    )
    assert code == 2
    assert "out/a.txt: " in errors
    assert errors.count("\n") == 1
    assert jobs.upload.config.filename == "b.opus"
    assert {"b.txt", "b.md", "b.json"} <= set(written(tmp_path / "out"))
    assert "a.md" not in written(tmp_path / "out")


async def test_a_result_that_is_not_made_can_be_in_nobodys_way(
    tmp_path: Path, recordings: list[str]
) -> None:
    (tmp_path / "out" / "a.txt").mkdir(parents=True)
    summary_only = finished_job()
    summary_only.results.Clear()
    summary_only.results.summary.content.update({"title": "T"})
    code, output, errors = await maie(
        *(FakeJobs(script(summary_only)), "process", "-q", "--output", "out"),
        *("--feature", "summary", "--template", "meeting_notes_v1", "a.opus"),
        cwd=tmp_path,
    )
    assert (code, errors, output.split()) == (0, "", ["out/a.json", "out/a.md"])


@pytest.mark.parametrize("output", ["a.opus", "a.opus/deeper", "/dev/null/x", "/proc/1/x"])
async def test_an_unusable_output_is_found_before_anything_is_sent(
    tmp_path: Path, recordings: list[str], output: str
) -> None:
    jobs = FakeJobs(script())
    code, printed, errors = await maie(
        jobs, "process", "-q", "--output", output, *recordings, cwd=tmp_path
    )
    assert (code, printed) == (2, "")
    assert errors.startswith(f"error: Cannot use {output}: ")
    assert errors.count("\n") == 1
    assert jobs.upload.config == job.JobConfig()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
async def test_a_folder_without_leave_to_write_is_found_first(
    tmp_path: Path, recordings: list[str]
) -> None:
    (tmp_path / "out").mkdir(mode=0o500)
    jobs = FakeJobs(script())
    code, _, errors = await maie(jobs, "process", "--output", "out", *recordings, cwd=tmp_path)
    assert (code, errors) == (2, "error: Cannot use out: Permission denied\n")
    assert jobs.upload.config == job.JobConfig()


def broken(*, transcribed: bool) -> job.Job:
    failed = finished_job(job.JOB_STATE_FAILED)
    if not transcribed:
        failed.results.Clear()
    failed.results.SetInParent()
    failed.failures.append(common.Failure(code=INVALID_ARGUMENT, message="It is cut off."))
    return failed


async def test_a_job_that_failed_early_prints_and_writes_no_heading(
    tmp_path: Path, recordings: list[str]
) -> None:
    jobs = FakeJobs(script(broken(transcribed=False)))
    for options in ((), ("--format", "md"), ("--format", "txt"), ("--format", "vtt")):
        done = await maie(jobs, "process", "-q", *options, "a.opus", cwd=tmp_path)
        assert done == (2, "", "error: It is cut off.\n")
    code, _, _ = await maie(jobs, "process", "-q", "--output", "of", "a.opus", cwd=tmp_path)
    assert (code, written(tmp_path / "of")) == (2, ["a.json"])


@pytest.mark.parametrize("format_", ["docx", "pdf"])
async def test_a_document_is_written_to_a_file_only(
    tmp_path: Path, recordings: list[str], format_: str
) -> None:
    jobs = FakeJobs(script())
    asked = ("process", "-q", "--format", format_, "a.opus")
    code, output, errors = await maie(jobs, *asked, cwd=tmp_path)
    assert (code, output) == (2, "")
    assert "needs --output" in errors
    code, _, _ = await maie(jobs, *asked, "--output", "of", cwd=tmp_path)
    assert (code, written(tmp_path / "of")) == (0, [f"a.{format_}"])


async def test_who_speaks_is_written_only_where_it_is_known(
    tmp_path: Path, recordings: list[str]
) -> None:
    done = finished_job()
    done.results.speakers.add(speaker="S1")
    with_speakers, without = FakeJobs(script(done)), FakeJobs(script())
    code, _, errors = await maie(without, "process", "--format", "rttm", "a.opus", cwd=tmp_path)
    assert code == 2
    assert "the format rttm needs --speakers auto" in errors
    asked = ("process", "-q", "--speakers", "auto", "a.opus", "--output")
    for jobs, folder, is_there in ((with_speakers, "of", True), (without, "off", False)):
        code, _, _ = await maie(jobs, *asked, folder, cwd=tmp_path)
        assert (code, "a.rttm" in written(tmp_path / folder)) == (0, is_there)
    async with serving(without) as address:
        code, output, errors = await maie_at(address, "jobs", "show", JOB_ID, "--format", "rttm")
    assert (code, output) == (2, "")
    assert "has no speakers for the format rttm" in errors


async def test_a_job_that_failed_late_keeps_what_it_has(
    tmp_path: Path, recordings: list[str]
) -> None:
    jobs = FakeJobs(script(broken(transcribed=True)))
    code, output, errors = await maie(jobs, "process", "-q", "a.opus", cwd=tmp_path)
    assert (code, errors) == (2, "error: It is cut off.\n")
    assert "Hello. Goodbye." in output
    await maie(jobs, "process", "-q", "--output", "of", "a.opus", cwd=tmp_path)
    assert {"a.md", "a.txt"} <= set(written(tmp_path / "of"))


@pytest.mark.parametrize("redirection", [">/dev/full", ">&-"])
@pytest.mark.parametrize(
    "command",
    ["--version", "--help", "jobs list", "jobs list --json", "templates", "process -q a.opus"],
)
async def test_output_that_cannot_be_written_is_one_sentence(
    tmp_path: Path, recordings: list[str], redirection: str, command: str
) -> None:
    async with serving(FakeJobs(script())) as address:
        process = await asyncio.create_subprocess_shell(
            f"{MAIE} {command} {redirection}",
            stderr=asyncio.subprocess.PIPE,
            cwd=tmp_path,
            env={**os.environ, "MAIE_GATEWAY": address},
        )
        _, errors = await process.communicate()
    assert process.returncode == 1
    assert re.fullmatch(rb"error: Cannot use standard output: [^\n]+\n", errors)


@pytest.mark.parametrize("redirection", ["2>/dev/full", "2>&-"])
async def test_no_work_ends_because_messages_cannot_be_written(
    tmp_path: Path, recordings: list[str], redirection: str
) -> None:
    async with serving(FakeJobs(script())) as address:
        process = await asyncio.create_subprocess_shell(
            f"{MAIE} process a.opus {redirection}",
            stdout=asyncio.subprocess.PIPE,
            cwd=tmp_path,
            env={**os.environ, "MAIE_GATEWAY": address},
        )
        output, _ = await process.communicate()
    assert (process.returncode, output[:8]) == (0, b"# a.opus")


def has_loaded(pid: int, library: str) -> bool:
    return library in Path(f"/proc/{pid}/maps").read_text()


@pytest.mark.parametrize("instant", ["in the imports", "a little later", "while nobody answers"])
async def test_ctrl_c_during_imports_and_after_is_silent(instant: str) -> None:
    called = asyncio.Event()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.set()  # and never answer
        await reader.read(-1)
        writer.close()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        process = await asyncio.create_subprocess_exec(
            *(MAIE, "jobs", "list"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "MAIE_GATEWAY": f"{host}:{port}"},
        )
        while not has_loaded(process.pid, "cygrpc"):  # the longest of the imports has begun
            await asyncio.sleep(0.005)
        if instant == "a little later":
            await asyncio.sleep(0.1)
        elif instant == "while nobody answers":
            async with asyncio.timeout(PATIENCE_SECONDS):
                await called.wait()
        process.send_signal(signal.SIGINT)
        # -2 is what shells show as 130.
        assert await process.communicate() == (b"", b"")
    assert process.returncode in (-signal.SIGINT, 130)


async def test_one_ctrl_c_ends_the_wait_for_a_pipe_that_nobody_writes_to(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    async with serving(FakeJobs(script())) as address:
        process = await asyncio.create_subprocess_exec(
            *(MAIE, "process", "pipe.wav"),
            stderr=asyncio.subprocess.PIPE,
            cwd=tmp_path,
            env={**os.environ, "MAIE_GATEWAY": address},
        )
        await asyncio.sleep(2)
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(PATIENCE_SECONDS):
            _, errors = await process.communicate()
    assert process.returncode in (-signal.SIGINT, 130)
    assert b"Traceback" not in errors


async def test_a_pipe_is_read_to_its_end(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    jobs = FakeJobs(script())
    writing = asyncio.to_thread((tmp_path / "pipe.wav").write_bytes, b"sound")
    reading = maie(jobs, "process", "-q", "pipe.wav", cwd=tmp_path)
    _, (code, _, _) = await asyncio.gather(writing, reading)
    assert jobs.upload.finish is not None
    assert (code, jobs.upload.sizes, jobs.upload.finish.size_bytes) == (0, [5], 5)


@pytest.mark.parametrize(
    "command",
    [("jobs", "list"), ("jobs", "show", "1"), ("process", "-q", "a.opus"), ("search", "x")],
)
async def test_a_server_that_is_no_gateway_is_called_so(
    tmp_path: Path, recordings: list[str], command: tuple[str, ...]
) -> None:
    stage = GrpcServer("127.0.0.1:0", ("maie.asr.v1.AsrService",))
    await stage.start()
    try:
        code, output, errors = await maie_at(stage.address, *command, cwd=tmp_path)
    finally:
        await stage.stop(0)
    assert (code, output) == (3, "")
    assert errors.startswith(f"error: What answers at {stage.address} is no maie gateway")
    assert "--gateway" in errors
    assert errors.count("\n") == 1


@pytest.mark.parametrize("address", ["", "my host:1", "http://localhost:50051", "caf\u00e9:1"])
async def test_an_address_that_is_none_is_wrong_usage(tmp_path: Path, address: str) -> None:
    code, output, errors = await maie_at("x:1", "jobs", "list", "--gateway", address, cwd=tmp_path)
    assert (code, output) == (2, "")
    assert "write HOST:PORT" in errors
    assert errors.count("\n") == 1


@pytest.mark.parametrize(
    "command",
    [
        ("jobs", "list", "--since", "0001-01-01T00:00+14:00"),
        ("jobs", "list", "--until", "9999-12-31T23:59-12:00"),
        ("dead-letters", "replay", "9" * 30),
        ("process", "a.opus", "--chunk-seconds", "nan"),
        ("process", "a.opus", "--asr", "beam_size=" + "9" * 30),
    ],
)
async def test_a_value_that_nothing_can_hold_is_wrong_usage(
    tmp_path: Path, recordings: list[str], command: tuple[str, ...]
) -> None:
    code, output, errors = await maie_at("localhost:1", *command, cwd=tmp_path)
    assert (code, output) == (2, "")
    assert "maie has a fault" not in errors


def test_a_fault_of_the_command_itself_says_where_its_details_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fails() -> None:
        raise KeyError("what was said")

    assert guarded(fails) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "what was said" not in line
    details = Path(line.rpartition(" ")[2])
    assert "what was said" in details.read_text()
    assert details.stat().st_mode & 0o077 == 0
    with suppress(FileNotFoundError):
        details.unlink()
