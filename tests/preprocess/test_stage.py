"""The stage as its mounts see it."""

from __future__ import annotations

import asyncio
import io
import json
import os
import wave
from contextlib import aclosing, suppress
from itertools import pairwise
from pathlib import Path

import numpy as np
import psutil
import pytest

from maie.common.v1 import types_pb2 as common
from maie.preprocess.v1 import preprocess_pb2 as pb
from maie_audio.fork_server import ForkServer
from maie_core.errors import Code, StageError
from maie_preprocess.settings import PreprocessSettings
from maie_preprocess.stage import PreprocessStage, open_stage, open_stage_with
from maie_runtime.blobs import Blobs
from maie_runtime.worker.stage import StageContext
from tests.children import forked
from tests.preprocess import recordings
from tests.preprocess.conftest import Preprocess, last
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.unit

# What a chunk keeps of the silence around its speech, at most.
MARGIN_NANOS = 500_000_000

# As long as fits into a request.
LONG_SECONDS = 480


def request_of(sound: np.ndarray, *, chunk_seconds: int = 0) -> pb.PreprocessRequest:
    request = pb.PreprocessRequest(recording_content=recordings.wav(sound))
    if chunk_seconds:
        request.chunk_duration.seconds = chunk_seconds
    return request


def long_recording() -> np.ndarray:
    once = recordings.speech(75)
    return np.tile(once, LONG_SECONDS * recordings.RATE // len(once))


def decoders() -> list[psutil.Process]:
    return forked("maie_preprocess.decoder")


async def test_each_line_of_the_sample_is_one_utterance(preprocess: Preprocess) -> None:
    lines = recordings.SAMPLE.with_suffix(".txt").read_text().splitlines()
    result = await preprocess(recordings.SAMPLE.read_bytes())
    (chunk,) = result.chunks
    assert len(chunk.speech) == len([line for line in lines if ":" in line])


async def test_a_stored_recording_is_fetched_and_its_chunks_are_stored(
    stage: PreprocessStage, context: StageContext, blobs: Blobs
) -> None:
    stored = await blobs.put("uploads/one", recordings.wav(recordings.speech(75)))
    request = pb.PreprocessRequest(recording=stored)
    request.chunk_duration.seconds = 30
    result = await last(stage, request, context)
    assert len({chunk.audio.key for chunk in result.chunks}) == 3
    for chunk in result.chunks:
        assert chunk.audio.key == f"{context.folder}/chunk-{chunk.audio.sha256}"
        with wave.open(io.BytesIO(await blobs.get(chunk.audio))) as stored_chunk:
            assert stored_chunk.getparams()[:3] == (1, 2, 16_000)
            span = chunk.range.end_offset.ToNanoseconds() - chunk.range.start_offset.ToNanoseconds()
            assert stored_chunk.getnframes() * 62_500 == span
            assert len(stored_chunk.readframes(10**9)) == 2 * stored_chunk.getnframes()
    facts = stage.facts(pb.PreprocessResponse(result=result))
    assert facts.chunk_count == 3
    assert facts.duration == result.duration


async def test_another_attempt_leaves_the_chunks_of_the_first_as_they_were(
    stage: PreprocessStage, context: StageContext, blobs: Blobs
) -> None:
    sound = recordings.speech(75)
    first = await last(stage, request_of(sound, chunk_seconds=10), context)
    before = [await blobs.get(chunk.audio) for chunk in first.chunks]
    again = await last(stage, request_of(sound, chunk_seconds=30), context)
    assert len(again.chunks) < len(first.chunks)
    assert [await blobs.get(chunk.audio) for chunk in first.chunks] == before
    for chunk in again.chunks:
        assert await blobs.get(chunk.audio)


async def test_chunks_are_so_long_that_all_slots_have_work(
    stage: PreprocessStage, context: StageContext
) -> None:
    request = request_of(np.tile(recordings.speech(75), 3))
    for slots, seconds, chunks in ((1, 300, 1), (2, 60, 4)):
        request.asr_slots = slots
        result = await last(stage, request, context)
        assert json.loads(result.vad_engine.parameters["chunk_seconds"]) == seconds
        assert chunks <= len(result.chunks) <= chunks + 2


async def test_chunks_part_in_pauses_and_hold_the_speech_they_name(
    stage: PreprocessStage, context: StageContext
) -> None:
    result = await last(stage, request_of(recordings.speech(75), chunk_seconds=10), context)
    spans = [
        [
            (span.start_offset.ToNanoseconds(), span.end_offset.ToNanoseconds())
            for span in [chunk.range, *chunk.speech]
        ]
        for chunk in result.chunks
    ]
    # The first chunk keeps what comes before its speech.
    assert spans[0][0][0] == 0
    for (start, end), *speech in spans:
        assert start == 0 or 0 <= speech[0][0] - start <= MARGIN_NANOS
        assert 0 <= end - speech[-1][1] <= MARGIN_NANOS
        assert speech[-1][1] - speech[0][0] <= 10 * 10**9
    # Two chunks share no sound.
    assert all(one[0][1] <= two[0][0] for one, two in pairwise(spans))


async def test_speech_without_a_pause_is_split_and_loses_nothing(
    preprocess: Preprocess, blobs: Blobs
) -> None:
    # The pauses of the sample taken out, so that somebody talks on and on.
    blocks = recordings.speech(74).reshape(-1, 800)
    talk = blocks[np.abs(blocks).max(axis=1) > 500].ravel()
    result = await preprocess(recordings.wav(talk), vad_max_speech_seconds=10, chunk_seconds=20)
    spans = [span for chunk in result.chunks for span in chunk.speech]
    lengths = [
        span.end_offset.ToNanoseconds() - span.start_offset.ToNanoseconds() for span in spans
    ]
    assert len(spans) > 4
    assert max(lengths) <= 10.5 * 10**9
    pieces = [await blobs.get(chunk.audio) for chunk in result.chunks]
    first = result.chunks[0].range.start_offset.ToNanoseconds() // 62_500
    stored = recordings.wav_samples(pieces)
    assert len(stored) > 0.9 * len(talk)
    assert all(one.end_offset == two.start_offset for one, two in pairwise(spans))
    assert np.array_equal(stored, talk[first : first + len(stored)])


async def test_the_same_recording_gives_the_same_result(
    stage: PreprocessStage, context: StageContext
) -> None:
    request = request_of(recordings.speech(75), chunk_seconds=20)
    one = await last(stage, request, context)
    await last(stage, request_of(recordings.speech(30)[::-1].copy()), context)
    two, three = await asyncio.gather(last(stage, request, context), last(stage, request, context))
    assert one.SerializeToString(deterministic=True) == two.SerializeToString(deterministic=True)
    assert one == three


async def test_progress_rises_to_the_end(stage: PreprocessStage, context: StageContext) -> None:
    async with aclosing(stage.run(request_of(long_recording()), context)) as responses:
        told = [one.progress.fraction async for one in responses if one.HasField("progress")]
    assert len(told) > 10
    assert told == sorted(set(told))
    assert told[-1] == pytest.approx(1)


@pytest.mark.parametrize("how", ["aclose", "cancel"])
async def test_cancelling_kills_the_decoder_and_leaves_no_file(
    how: str, fork_server: ForkServer, context: StageContext, temp_dir: Path
) -> None:
    settings = PreprocessSettings(temp_dir=temp_dir, decoder_stall_seconds=10 * PATIENCE_SECONDS)
    async with (
        open_stage_with(fork_server, settings) as stage,
        asyncio.timeout(PATIENCE_SECONDS),
    ):
        descriptors = set(os.listdir("/proc/self/fd"))
        responses = stage.run(request_of(long_recording()), context)
        await anext(responses)
        if how == "cancel":
            task = asyncio.ensure_future(last(stage, request_of(long_recording()), context))
            await until(lambda: len(decoders()) == 2)
        for decoder in decoders():
            # Now it never ends by itself.
            decoder.suspend()
        if how == "cancel":
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        await responses.aclose()
        assert not decoders()
        assert not os.listdir(temp_dir)
        assert set(os.listdir("/proc/self/fd")) <= descriptors
        assert (await last(stage, request_of(recordings.speech(5)), context)).chunks


async def test_a_recording_has_no_name_while_it_is_decoded(
    stage: PreprocessStage, context: StageContext, temp_dir: Path
) -> None:
    async with aclosing(stage.run(request_of(long_recording()), context)) as responses:
        await anext(responses)
        assert not os.listdir(temp_dir)


async def test_a_decoder_that_is_killed_is_no_fault_of_the_recording(
    stage: PreprocessStage, context: StageContext
) -> None:
    async with aclosing(stage.run(request_of(long_recording()), context)) as responses:
        await anext(responses)
        decoders()[0].kill()
        with pytest.raises(StageError) as caught:
            [one async for one in responses]
    assert (caught.value.code, caught.value.reason) == (Code.INTERNAL, "DECODER_FAILED")
    assert caught.value.retryable


async def test_a_decoder_that_hangs_is_killed(
    fork_server: ForkServer, context: StageContext, temp_dir: Path
) -> None:
    settings = PreprocessSettings(temp_dir=temp_dir, decoder_stall_seconds=0.3)
    async with open_stage_with(fork_server, settings) as stage:
        task = asyncio.ensure_future(last(stage, request_of(long_recording()), context))
        (decoder,) = await until(decoders)
        # One that is slow to start may have been killed already.
        with suppress(psutil.NoSuchProcess):
            decoder.suspend()
        with pytest.raises(StageError, match="does not come to an end"):
            await task
        assert not decoders()


async def test_the_end_of_the_fork_server_is_no_fault_of_the_recording(
    settings: PreprocessSettings, context: StageContext
) -> None:
    async with open_stage(settings) as stage:
        async with aclosing(stage.run(request_of(long_recording()), context)) as responses:
            await anext(responses)
            (decoder,) = decoders()
            (server,) = decoder.parents()[:1]
            server.kill()
            with pytest.raises(StageError) as caught:
                [one async for one in responses]
        assert (caught.value.code, caught.value.reason) == (Code.INTERNAL, "DECODER_FAILED")
        assert caught.value.retryable
        await until(lambda: not decoder.is_running() or decoder.status() == psutil.STATUS_ZOMBIE)
        assert (await last(stage, request_of(recordings.speech(5)), context)).chunks


async def test_a_recording_leaves_nothing_in_the_fork_server(
    fork_server: ForkServer, preprocess: Preprocess
) -> None:
    noise = np.random.default_rng(1).integers(-3000, 3000, 5 * recordings.RATE, np.int16)
    mark = noise[40_000:40_032].tobytes()
    await preprocess(recordings.wav(noise))
    assert fork_server.pid is not None
    # A fork copies no other thread.
    assert psutil.Process(fork_server.pid).num_threads() == 1
    assert holds(os.getpid(), mark)
    assert not holds(fork_server.pid, mark)


def holds(pid: int, mark: bytes) -> bool:
    """Whether the writable memory of a process holds some bytes."""
    maps = Path(f"/proc/{pid}/maps").read_text().splitlines()
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for place, rights, *_ in map(str.split, maps):
            begin, end = (int(number, 16) for number in place.split("-"))
            if rights.startswith("rw"):
                memory.seek(begin)
                if mark in memory.read(end - begin):
                    return True
    return False


@pytest.mark.parametrize(
    ("request_", "reason", "field"),
    [
        (pb.PreprocessRequest(), "SOURCE_MISSING", "recording"),
        (
            pb.PreprocessRequest(recording_content=bytes(17 << 20)),
            "AUDIO_TOO_LARGE",
            "recording_content",
        ),
    ],
)
async def test_a_wrong_request_is_refused_naming_the_field(
    request_: pb.PreprocessRequest,
    reason: str,
    field: str,
    stage: PreprocessStage,
    context: StageContext,
) -> None:
    with pytest.raises(StageError) as caught:
        await last(stage, request_, context)
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert (caught.value.reason, caught.value.field) == (reason, field)


@pytest.mark.parametrize("seconds", [4, 1801, -1, 0])
async def test_chunks_of_absurd_length_are_refused(
    seconds: int, stage: PreprocessStage, context: StageContext
) -> None:
    request = pb.PreprocessRequest(recording_content=b"x")
    request.chunk_duration.seconds = seconds
    with pytest.raises(StageError) as caught:
        await last(stage, request, context)
    assert caught.value.reason == "CHUNK_DURATION_INVALID"


async def test_a_stored_recording_that_is_gone_or_changed_is_data_loss(
    stage: PreprocessStage, context: StageContext, blobs: Blobs, temp_dir: Path
) -> None:
    stored = await blobs.put("uploads/one", b"something")
    changed = common.Blob(key=stored.key, size_bytes=9, sha256="0" * 64)
    for blob in (common.Blob(key="uploads/none", sha256="0" * 64), changed):
        with pytest.raises(StageError) as caught:
            await last(stage, pb.PreprocessRequest(recording=blob), context)
        assert caught.value.code is Code.DATA_LOSS
        assert not os.listdir(temp_dir)


async def test_the_engine_is_named_with_the_settings_that_shaped_the_result(
    preprocess: Preprocess,
) -> None:
    result = await preprocess(recordings.wav(recordings.speech(5)), vad_threshold=0.6)
    parameters = {name: json.loads(text) for name, text in result.vad_engine.parameters.items()}
    assert parameters == {
        "threshold": 0.6,
        "negative_threshold": 0.15,
        "narrow_band_threshold": 0.1,
        "narrow_band_negative_threshold": 0.05,
        "min_speech_ms": 100,
        "min_silence_ms": 500,
        "speech_pad_ms": 250,
        "max_speech_seconds": 30.0,
        "chunk_seconds": 300.0,
    }
