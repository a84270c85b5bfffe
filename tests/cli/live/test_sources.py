"""Where `maie live` takes audio from."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from maie_client import linear16
from tests.cli.live.running import PIECE, ended, maie_live, pcm, words, write_wav
from tests.client.live.fake_live import Truth, live_gateway

pytestmark = pytest.mark.unit


async def test_standard_input_is_raw_samples_of_a_rate(tmp_path: Path) -> None:
    truth = Truth(reads=words)
    async with live_gateway(truth) as address:
        code, lines, _ = await ended(
            address, "-", "--rate", "8000", "--fast", stdin=pcm(3) + b"half"[:1]
        )
    assert truth.starts[0].config.format == linear16(8_000)
    assert code == 0
    assert lines == ["[00:00] 0 0 100", "[00:00] 100 200 200"]


async def test_standard_input_is_a_wav_file_where_it_begins_as_one(tmp_path: Path) -> None:
    talk = write_wav(tmp_path / "talk.wav", 3, rate=48_000)
    truth = Truth(reads=words)
    async with live_gateway(truth) as address:
        code, lines, _ = await ended(address, "-", "--fast", stdin=talk.read_bytes())
        assert truth.starts[0].config.format == linear16(48_000)
        assert (code, lines) == (0, ["[00:00] 0"])
        cut = talk.read_bytes()[:20]
        code, lines, errors = await ended(address, "-", stdin=cut)
    assert (code, lines) == (2, [])
    assert errors.startswith("error: Standard input is a WAV file, but not")


async def test_what_comes_in_is_sent_as_it_comes() -> None:
    truth = Truth(reads=words)
    async with (
        live_gateway(truth) as address,
        maie_live(address, "-", stdin=asyncio.subprocess.PIPE) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(pcm(3))
        assert await process.stdout.readline() == b"[00:00] 0 100 200\n"
        process.stdin.write(pcm(3, 3))
        assert await process.stdout.readline() == b"[00:00] 300 400 500\n"
        process.send_signal(signal.SIGINT)  # while it waits for more
        await process.communicate()
    assert process.returncode == 0
    assert truth.ended


async def test_any_format_of_recordings_is_read(tmp_path: Path) -> None:
    sample = Path(__file__).parents[3] / "samples" / "standup.flac"
    truth = Truth(reads=lambda content: str(len(content)))
    async with live_gateway(truth) as address:
        code, lines, _ = await ended(address, sample, "--fast")
    assert code == 0
    assert lines[0] == "[00:00] 3200 3200 3200"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("gone.wav", None, "There is no file "),
        ("text.wav", b"This is no sound at all. " * 9, "Cannot read "),
        ("list.m3u8", b"#EXTM3U\nhttp://127.0.0.1:1/a.ts\n", "Cannot read "),
        ("empty.wav", b"", "Cannot read "),
    ],
)
async def test_a_file_that_cannot_be_read_is_named_before_a_session_begins(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    truth = Truth()
    good = write_wav(tmp_path / "good.wav", 3)
    async with live_gateway(truth) as address:
        code, lines, errors = await ended(address, good, tmp_path / name)
    assert (code, lines) == (2, [])
    assert errors.startswith(f"error: {message}{tmp_path / name}")
    assert errors.count("\n") == 1
    assert not truth.starts


async def test_a_file_without_sound_is_named(tmp_path: Path) -> None:
    silent = write_wav(tmp_path / "silent.wav", 0)
    code, _, errors = await ended("127.0.0.1:1", silent)
    assert code == 2
    assert errors == f"error: There is no sound in {silent}\n"


def recorder(folder: Path, name: str, body: str) -> dict[str, str]:
    """A program that records, the only one there is."""
    program = folder / name
    program.write_text(f"#!{sys.executable}\n{body}")
    program.chmod(0o755)
    return {"PATH": str(folder)}


async def test_the_microphone_is_recorded_until_ctrl_c(tmp_path: Path) -> None:
    # It ignores Ctrl-C, and would go on for ever.
    body = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "assert sys.argv[1:] == '-q -t raw -f S16_LE -r 16000 -c 1'.split()\n"
        f"sys.stdout.buffer.write({pcm(3)[: 2 * PIECE * 3]!r})\n"
        "sys.stdout.flush()\n"
        "time.sleep(3600)\n"
    )
    truth = Truth(reads=words)
    async with (
        live_gateway(truth) as address,
        maie_live(address, "--mic", environment=recorder(tmp_path, "arecord", body)) as process,
    ):
        assert process.stdout is not None
        assert await process.stdout.readline() == b"[00:00] 0 100 200\n"
        process.send_signal(signal.SIGINT)
        await process.communicate()
    assert process.returncode == 0
    assert truth.ended


async def test_a_recorder_that_ends_says_why_and_ends_the_session(tmp_path: Path) -> None:
    environment = recorder(tmp_path, "parec", "raise SystemExit('Connection refused')\n")
    truth = Truth(reads=words)
    async with live_gateway(truth) as address:
        code, _, errors = await ended(address, "--mic", environment=environment)
    assert code == 2
    assert errors.endswith("error: The program that records has ended: Connection refused\n")
    assert truth.ended


async def test_a_machine_without_a_recorder_gets_one_sentence(tmp_path: Path) -> None:
    code, _, errors = await ended(
        "127.0.0.1:1", "--mic", environment={"PATH": str(tmp_path), "COLUMNS": "400"}
    )
    assert code == 2
    assert errors.startswith("error: No program here records from a microphone; install ")
    assert errors.count("\n") == 1


@pytest.mark.parametrize("arguments", [(), ("--mic", "a.wav"), ("-", "-")])
async def test_there_must_be_a_source_and_only_one_kind(arguments: tuple[str, ...]) -> None:
    code, lines, errors = await ended("127.0.0.1:1", *arguments)
    assert (code, lines) == (2, [])
    assert "Invalid value for FILE" in errors


async def test_a_terminal_is_no_source() -> None:
    controller, terminal = os.openpty()
    async with maie_live("127.0.0.1:1", "-", stdin=terminal) as process:
        _, errors = await process.communicate()
    os.close(terminal)
    os.close(controller)
    assert process.returncode == 2
    assert errors.decode().startswith("error: Standard input is a terminal")
