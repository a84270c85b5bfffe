"""Whisper's weights leave the memory and come back; nothing reads meanwhile."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maie_asr.engine import RecognizedSegment, RecognizeOptions, Samples, Speech
from maie_asr.engines.whisper.engine import WhisperEngine, create
from maie_asr.settings import AsrSettings, WhisperSettings
from maie_asr.vad import VoiceActivity
from maie_core.errors import StageError
from maie_runtime.gpu.memory import memory_in_use
from tests.asr.heavy_whisper import BALLAST_BYTES, write_heavy_whisper
from tests.asr.recordings import BUG_AND_BUDGET, SCHEDULE, TINY_WHISPER, read_audio
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.unit


@asynccontextmanager
async def engine(path: Path = TINY_WHISPER, **settings: Any) -> AsyncIterator[WhisperEngine]:
    chosen = {"cpu_threads": 1, "condition_on_previous_text": False, **settings}
    whisper = WhisperSettings(model_path=path, **chosen)
    async with create(AsrSettings(engine="whisper", slots=2, whisper=whisper)) as opened:
        yield opened


async def read(opened: WhisperEngine, samples: Samples) -> list[RecognizedSegment]:
    speech = Speech(samples=samples, ranges=VoiceActivity(samples).find_speech())
    async with aclosing(opened.recognize(speech, RecognizeOptions(language="en"))) as found:
        return [segment async for segment in found]


@pytest.mark.parametrize("together", [1, 4])
async def test_it_reads_the_same_after_it_was_away(together: int) -> None:
    samples = read_audio(BUG_AND_BUDGET)
    async with engine(cross_batch_size=together) as opened:
        first = await read(opened, samples)
        for _ in range(2):
            await opened.weights.unload()
            assert not opened.network.model_is_loaded
            await opened.weights.load()
        assert await read(opened, samples) == first


async def test_to_load_or_unload_twice_does_nothing() -> None:
    async with engine() as opened:
        await opened.weights.load()
        await opened.weights.unload()
        await opened.weights.unload()
        with pytest.raises(RuntimeError, match="not loaded"):
            await read(opened, read_audio(SCHEDULE))
        await opened.weights.load()
        await opened.weights.load()
        assert await read(opened, read_audio(SCHEDULE))


@pytest.mark.parametrize("together", [1, 4])
async def test_an_unload_waits_for_threads_that_still_read(together: int) -> None:
    """A recognition that is cancelled leaves a thread with a window in hand."""
    long = np.concatenate([read_audio(BUG_AND_BUDGET)] * 4)
    async with engine(cross_batch_size=together, beam_size=20) as opened:
        await read(opened, read_audio(SCHEDULE))
        for pause in (0.0, 0.01, 0.02, 0.05, 0.1, 0.2):
            reading = [asyncio.create_task(read(opened, long)) for _ in range(2)]
            await asyncio.sleep(pause)
            for each in reading:
                each.cancel()
            await asyncio.wait(reading)
            await opened.weights.unload()
            assert not opened.network.model_is_loaded
            await opened.weights.load()
        assert await read(opened, read_audio(SCHEDULE))


async def test_nothing_computes_while_it_unloads() -> None:
    async with engine() as opened:
        may_end = threading.Event()
        has_begun = threading.Event()

        def hold() -> None:
            with opened.weights.reading():
                has_begun.set()
                may_end.wait(PATIENCE_SECONDS)

        holding = asyncio.create_task(asyncio.to_thread(hold))
        await asyncio.to_thread(has_begun.wait, PATIENCE_SECONDS)
        unloading = asyncio.create_task(opened.weights.unload())
        await asyncio.sleep(0.2)
        assert not unloading.done()
        assert opened.network.model_is_loaded
        # Who comes now is sent away, or it would never be unloaded.
        with pytest.raises(RuntimeError, match="not loaded"):
            await read(opened, read_audio(SCHEDULE))
        may_end.set()
        await asyncio.gather(holding, unloading)
        assert not opened.network.model_is_loaded


async def test_the_memory_is_free_afterwards(tmp_path: Path) -> None:
    path = write_heavy_whisper(tmp_path / "heavy")
    async with engine(path) as opened:
        spoken = [segment.text for segment in await read(opened, read_audio(SCHEDULE))]
        assert spoken == ["The project is on schedule."]
        for _ in range(2):
            loaded = memory_in_use()["rss_bytes"]
            await opened.weights.unload()
            unloaded = memory_in_use()["rss_bytes"]
            print(f"RSS {loaded / 1e6:.0f} MB loaded, {unloaded / 1e6:.0f} MB unloaded")
            assert loaded - unloaded > 0.9 * BALLAST_BYTES
            await opened.weights.load()
        assert await read(opened, read_audio(SCHEDULE))


async def test_weights_that_changed_on_disk_are_not_loaded(tmp_path: Path) -> None:
    path = tmp_path / "model"
    shutil.copytree(TINY_WHISPER, path)
    async with engine(path) as opened:
        await opened.weights.unload()
        weights = path / "model.bin"
        there = weights.stat()
        with weights.open("r+b") as file:
            file.seek(-1, os.SEEK_END)
            file.write(b"\1")
        os.utime(weights, ns=(there.st_atime_ns, there.st_mtime_ns + 1))
        with pytest.raises(StageError, match="changed after the service had verified it") as caught:
            await opened.weights.load()
    assert caught.value.reason == "MODEL_CORRUPT"
    assert not opened.network.model_is_loaded
