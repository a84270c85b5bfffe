"""`maie load --live` speaks to a real gateway and a real live service that reads tones."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
import wave
from pathlib import Path

import numpy as np
import pytest

from bench.live_streams import spoken_stream
from maie.live.v1 import live_pb2 as live
from maie_asr.engine import SAMPLE_RATE, Samples
from maie_asr.live.listening import SileroDetector
from maie_asr.settings import AsrSettings, LiveSettings
from maie_cli.load.hearing import Hearing
from maie_cli.load.recording import Recording, read_recording
from maie_cli.load.runs import Clock, Measure, Run, State
from maie_client import Client
from maie_core.durations import duration
from maie_pipeline.bindings import BINDINGS
from maie_runtime.worker.server import serve_stage
from maie_speech.turns import turn_rules
from tests.cli.command import MAIE, maie_at
from tests.gateway.conftest import empty_mesh
from tests.gateway.live.conftest import LiveMesh, live_mesh
from tests.live_engine import instant_stage, quiet, say
from tests.waiting import PATIENCE_SECONDS

__all__ = ["empty_mesh", "live_mesh"]

# Silence that ends an utterance, by default.
SILENCE_SECONDS = 0.5
LONG = ("alpha", "bravo", "charlie", "delta") * 3
TALK = np.concatenate([quiet(0.3), say(*LONG), quiet(1.0), say("echo"), quiet(1.0)])


def write(path: Path, samples: Samples) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes(samples.astype("<i2").tobytes())
    return path


@pytest.mark.mesh
async def test_each_stream_has_its_partials_and_finals(live_mesh: LiveMesh, tmp_path: Path) -> None:
    talk = write(tmp_path / "talk.wav", TALK)
    settings = AsrSettings(
        mesh=live_mesh.empty.mesh,
        listen="127.0.0.1:0",
        live=LiveSettings(partial_interval_seconds=0.2),
    )
    asr = serve_stage(BINDINGS["asr"], settings, lambda _: instant_stage(settings))
    async with asr, live_mesh.gateway() as address:
        code, output, errors = await maie_at(address, "load", talk, "--live", "-c", "3", "--json")
        assert (code, errors) == (0, "")
        async with Client(address) as client:
            assert len([each async for each in client.list_jobs()]) == 3
    found = json.loads(output)
    assert (found["kind"], found["count"], found["complete"]) == ("live stream", 3, 3)
    assert found["audio_seconds"] == pytest.approx(3 * len(TALK) / SAMPLE_RATE, abs=0.3)
    latencies = found["latencies"]
    assert latencies["started"]["count"] == 3
    assert latencies["final"]["count"] == 6
    assert latencies["partial"]["count"] > 0
    # A final waits for the silence after its speech, and a partial for nothing.
    assert found["distribution"][0]["to_seconds"] > SILENCE_SECONDS
    assert 0 < latencies["partial"]["p50"] < latencies["final"]["max"]
    assert found["errors"] == []


@pytest.mark.mesh
async def test_ctrl_c_ends_the_streams(live_mesh: LiveMesh, tmp_path: Path) -> None:
    talk = write(tmp_path / "talk.wav", np.tile(TALK, 200))
    async with live_mesh.running() as (address, replica), Client(address) as client:
        process = await asyncio.create_subprocess_exec(
            *(MAIE, "load", talk, "--live", "-c", "2", "-n", "5", "--json"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "MAIE_GATEWAY": address},
        )
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len([each async for each in client.list_jobs()]) < 2 or not replica.asr.received:
                await asyncio.sleep(0.05)
            process.send_signal(signal.SIGINT)
            output, _ = await process.communicate()
        found = json.loads(output)
        assert process.returncode == 130
        assert (found["cancelled"], found["not_begun"], found["left"]) == (2, 3, 0)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (await client.get_mesh()).live_sessions:
                await asyncio.sleep(0.05)


@pytest.mark.mesh
async def test_a_stream_that_is_soon_over_is_complete(live_mesh: LiveMesh, tmp_path: Path) -> None:
    talk = write(tmp_path / "talk.wav", say("echo"))
    async with live_mesh.running() as (address, _):
        code, output, errors = await maie_at(address, "load", talk, "--live", "-c", "2", "--json")
    assert (code, errors) == (0, "")
    assert json.loads(output)["complete"] == 2


@pytest.mark.mesh
async def test_a_stream_that_is_refused_is_an_error(live_mesh: LiveMesh, tmp_path: Path) -> None:
    talk = write(tmp_path / "talk.wav", TALK)
    async with live_mesh.running(max_sessions=1) as (address, _):
        code, output, _ = await maie_at(address, "load", talk, "--live", "-c", "2", "--json")
    found = json.loads(output)
    assert code == 3
    assert (found["complete"], found["failed"]) == (1, 1)
    assert [each["reason"] for each in found["errors"]] == ["SESSIONS_FULL"]


@pytest.fixture
async def recording(tmp_path: Path) -> Recording:
    return await read_recording(write(tmp_path / "talk.wav", TALK))


@pytest.mark.unit
async def test_a_recording_is_read_whole(recording: Recording) -> None:
    assert b"".join(recording.pieces) == TALK.tobytes()
    assert recording.seconds == pytest.approx(len(TALK) / SAMPLE_RATE)
    assert {len(piece) for piece in recording.pieces[:-1]} == {3200}


@pytest.mark.unit
async def test_speech_ends_with_its_last_sound(recording: Recording) -> None:
    end = 0.3 + len(say(*LONG)) / SAMPLE_RATE
    for moment in (end, end + 0.3, end + 0.7):
        # The last word is followed by a gap.
        assert end - 0.1 < recording.spoken(moment) <= end
    assert recording.spoken(0.05) == 0.05  # nothing before it


@pytest.mark.unit
@pytest.mark.parametrize("number", [1, 2])
async def test_speech_ends_where_the_bench_of_live_streams_says(
    tmp_path: Path, number: int
) -> None:
    stream = spoken_stream(number, 20)
    recording = await read_recording(write(tmp_path / "talk.wav", stream.samples))
    expected = stream.expected(SileroDetector(), turn_rules())
    assert len(expected) > 2
    assert [recording.spoken(each.end / SAMPLE_RATE) for each in expected] == [
        each.spoken / SAMPLE_RATE for each in expected
    ]


def event(**fields: object) -> live.TranscribeResponse:
    return live.TranscribeResponse(**fields)  # type: ignore[arg-type]


def progress(begin: float | None) -> live.TranscribeResponse:
    track = live.TrackProgress(begin_offset=None if begin is None else duration(begin))
    return event(acknowledged=live.Acknowledged(tracks=[track]))


def final(end: float) -> live.TranscribeResponse:
    made = live.Final()
    made.segment.end_offset.CopyFrom(duration(end))
    return event(final=made)


def partial(end: float) -> live.TranscribeResponse:
    made = live.Partial()
    made.range.end_offset.CopyFrom(duration(end))
    return event(partial=made)


@pytest.mark.unit
async def test_latencies_count_from_what_was_spoken(recording: Recording) -> None:
    run, begin = Run(clock=Clock()), 7.0
    hearing = Hearing(run, recording)
    spoken = recording.spoken(3.9)
    before = time.monotonic()
    hearing.began = before - 5.0  # it speaks since then
    hearing.take(partial(begin + 0.4))
    hearing.take(final(begin + 3.9))
    hearing.take(progress(begin))
    passed = time.monotonic() - before
    hearing.measure()
    (of_partial,), (of_final,) = run.samples[Measure.PARTIAL], run.samples[Measure.FINAL]
    assert 4.6 <= of_partial.seconds <= 4.6 + passed
    assert 5.0 - spoken <= of_final.seconds <= 5.0 - spoken + passed
    assert run.trouble is None


@pytest.mark.unit
async def test_a_gateway_that_does_not_say_where_tracks_begin_is_an_error(
    recording: Recording,
) -> None:
    run = Run(clock=Clock())
    hearing = Hearing(run, recording)
    hearing.take(final(1.0))
    hearing.take(progress(None))
    hearing.measure()
    assert run.trouble is not None
    assert run.trouble.reason == "TRACK_BEGIN_MISSING"
    assert Measure.FINAL not in run.samples


@pytest.mark.unit
async def test_a_final_that_is_missing_is_an_error(recording: Recording) -> None:
    run = Run(clock=Clock())
    hearing = Hearing(run, recording)
    for each in (progress(0.0), final(1.0), event(ended=live.SessionEnded(final_count=2))):
        hearing.take(each)
    assert run.trouble is not None
    assert (run.state, run.trouble.reason) == (State.FAILED, "FINALS_WRONG")


@pytest.mark.unit
async def test_lags_warnings_and_broken_connections_are_noticed(recording: Recording) -> None:
    run = Run(clock=Clock())
    hearing = Hearing(run, recording)
    warning = event(warning=live.SessionWarning())
    warning.warning.warning.reason = "LIVE_BUSY"
    for each in (event(started=live.SessionStarted()), event(lag=live.Lag()), warning):
        hearing.take(each)
    hearing.take(event(started=live.SessionStarted()))
    assert +run.notices == {
        "times that recognition was behind": 1,
        "LIVE_BUSY": 1,
        "broken connections": 1,
    }
