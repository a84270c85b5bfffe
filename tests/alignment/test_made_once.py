"""An engine is made once, however many ask at first, and what it keeps is bounded."""

from __future__ import annotations

import asyncio
import gc
import shutil
import subprocess
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest

from maie_alignment.engine import SAMPLE_RATE, Samples
from maie_alignment.engines.ctc.aligner import CtcAligner
from maie_alignment.engines.ctc.folder import read_folder
from maie_alignment.engines.embedded import engine as embedded
from maie_alignment.engines.wav2vec2 import engine as wav2vec2
from maie_alignment.settings import AlignmentSettings, Wav2Vec2Settings
from tests.alignment.ctc_model import spoken, write_model
from tests.alignment.engine_cases import as_tones, read_aloud
from tests.children import children

pytestmark = pytest.mark.unit

AT_ONCE = 16


async def test_first_requests_share_the_processes_of_the_slots() -> None:
    samples, words = read_aloud()
    before = aligners()
    async with embedded.create(AlignmentSettings(slots=2)) as engine:
        found = await asyncio.gather(*(engine.align(samples, words) for _ in range(AT_ONCE)))
        started = aligners() - before
        assert len(started) == 2
        await asyncio.gather(*(engine.align(samples, words) for _ in range(AT_ONCE)))
        assert aligners() - before == started
    assert [len(each) for each in found] == [len(words)] * AT_ONCE
    assert not started & aligners()


def aligners() -> set[psutil.Process]:
    """The processes that align for this one."""
    return set(children("spawn_main"))


async def test_first_requests_read_no_model(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "tones")
    settings = AlignmentSettings(slots=2, wav2vec2=Wav2Vec2Settings(model_path=folder))
    samples, words = as_tones()
    async with wav2vec2.create(settings) as engine:
        shutil.rmtree(folder)
        found = await asyncio.gather(*(engine.align(samples.copy(), words) for _ in range(AT_ONCE)))
    assert [len(each) for each in found] == [len(words)] * AT_ONCE


def test_rules_of_letters_are_read_once() -> None:
    """In a process that has not read them."""
    script = """
import threading
from concurrent.futures import ThreadPoolExecutor
from maie_alignment.engines.embedded.letters import letter_sounds

start = threading.Barrier(16)

def ask(_):
    start.wait()
    return letter_sounds()

with ThreadPoolExecutor(16) as executor:
    found = list(executor.map(ask, range(16)))
print(len({id(each) for each in found}))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "1"


async def test_audio_is_heard_once_for_all_its_texts_and_forgotten_with_it(tmp_path: Path) -> None:
    folder = read_folder(write_model(tmp_path / "tones"), "model.onnx", "", "X")
    heard = 0

    async def hear(audio: np.ndarray) -> np.ndarray:
        nonlocal heard
        heard += 1
        return np.zeros((len(audio) // 320, folder.vocabulary.size), np.float32)

    def piece() -> Samples:
        return np.zeros(20 * SAMPLE_RATE, np.int16)

    size = 20 * 50 * folder.vocabulary.size * 4
    with ThreadPoolExecutor(1) as executor:
        aligner = CtcAligner(hear, folder, executor)
        same = piece()
        for text in ("go", "on", "go on"):
            assert len(await aligner.align(same, text.split())) == len(text.split())
        assert heard == 1
        tracemalloc.start()
        for _ in range(40):
            await aligner.align(piece(), ["go"])
        gc.collect()
        left, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert heard == 41
    assert left < 3 * size


async def test_other_audio_is_heard_anew(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "tones")
    settings = AlignmentSettings(wav2vec2=Wav2Vec2Settings(model_path=folder))
    async with wav2vec2.create(settings) as engine:
        for text in ("go on", "we did", "go on", "the end", "we did") * 3:
            # The array of the last one may have been where this one is.
            found = await engine.align(spoken(text), text.split())
            assert min(word.score for word in found) > 0.5
