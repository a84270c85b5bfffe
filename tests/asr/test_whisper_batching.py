"""Windows of different requests in one batch: the same text, in fewer calls of the network."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, aclosing, asynccontextmanager, closing
from itertools import chain
from typing import Any

import numpy as np
import pytest
from ctranslate2 import StorageView
from ctranslate2.models import Whisper
from pydantic import ValidationError

from maie_asr.engine import (
    Decoding,
    RecognizedSegment,
    RecognizedWord,
    RecognizeOptions,
    Samples,
    Speech,
)
from maie_asr.engines.whisper.batching import BatchingModel
from maie_asr.engines.whisper.engine import WhisperEngine, create
from maie_asr.settings import AsrSettings, WhisperSettings
from maie_asr.vad import VoiceActivity
from maie_core.errors import StageError
from tests.asr.recordings import BUG_AND_BUDGET, SCHEDULE, TINY_WHISPER, read_audio
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.unit

START_TOKEN = 258
LONG = 600.0
# What the model counts time in, in seconds; a little more for the sum's own rounding.
FRAME = 0.021
WINDOW = np.zeros((1, 80, 3000), np.float32)


@pytest.fixture(scope="module")
def network() -> Whisper:
    return Whisper(str(TINY_WHISPER), intra_threads=1)


@pytest.fixture
def batching(network: Whisper) -> Iterator[BatchingModel]:
    with closing(joined(network)) as model:
        yield model


def joined(network: Any, *, max_rows: int = 8, wait_seconds: float = LONG) -> BatchingModel:
    return BatchingModel(
        network, start_token=START_TOKEN, max_rows=max_rows, wait_seconds=wait_seconds, lanes=1
    )


class NarrowNetwork:
    """The real network on a device that has room for one window."""

    def __init__(self, network: Whisper) -> None:
        self._network = network

    def encode(self, features: StorageView, to_cpu: bool = False) -> StorageView:
        if features.shape[0] > 1:
            raise RuntimeError("out of memory")
        return self._network.encode(features, to_cpu=to_cpu)


@asynccontextmanager
async def engine(**settings: Any) -> AsyncIterator[WhisperEngine]:
    chosen = {"cpu_threads": 1, "condition_on_previous_text": False, **settings}
    whisper = WhisperSettings(model_path=TINY_WHISPER, **chosen)
    async with create(AsrSettings(engine="whisper", slots=2, whisper=whisper)) as opened:
        yield opened


async def read(
    opened: WhisperEngine, samples: Samples, language: str = "en"
) -> list[RecognizedSegment]:
    speech = Speech(samples=samples, ranges=VoiceActivity(samples).find_speech())
    async with aclosing(opened.recognize(speech, RecognizeOptions(language=language))) as found:
        return [segment async for segment in found]


def assert_same_reading(
    found: Sequence[Sequence[RecognizedSegment]], expected: Sequence[Sequence[RecognizedSegment]]
) -> None:
    """The same text, words' times within a frame, confidences within a thousandth.

    A batch of another size is summed up in another order, on some processors.
    """
    assert [[each.text for each in part] for part in found] == [
        [each.text for each in part] for part in expected
    ]
    for segment, other in zip(chain(*found), chain(*expected), strict=True):
        assert segment.language == other.language
        assert [word.text for word in segment.words] == [word.text for word in other.words]
        spans: list[RecognizedSegment | RecognizedWord] = [segment, *segment.words]
        expected_spans: list[RecognizedSegment | RecognizedWord] = [other, *other.words]
        for heard, told in zip(spans, expected_spans, strict=True):
            assert heard.start == pytest.approx(told.start, abs=FRAME)
            assert heard.end == pytest.approx(told.end, abs=FRAME)
            assert heard.confidence == pytest.approx(told.confidence, abs=1e-3)


def recordings() -> list[Samples]:
    """Eight recordings, of one or two sentences, no two of the same length."""
    spoken = [read_audio(BUG_AND_BUDGET), read_audio(SCHEDULE)]
    return [np.concatenate([np.zeros(400 * i, np.int16), spoken[i % 2]]) for i in range(8)]


@pytest.mark.parametrize("language", [pytest.param("en", marks=pytest.mark.slow), ""])
async def test_reads_the_same_beside_others_as_alone(language: str) -> None:
    samples = recordings()
    async with engine() as opened:
        alone = [await read(opened, each, language) for each in samples]
    async with engine(cross_batch_size=8, cross_batch_wait_ms=1000) as opened:
        beside = await asyncio.gather(*(read(opened, each, language) for each in samples))
        model = opened.network
    assert_same_reading(beside, alone)
    assert isinstance(model, BatchingModel)
    # Each window is encoded, decoded and aligned; to find its language it is encoded once more.
    steps = 3 if language else 5
    assert model.rows == steps * len(samples)
    assert model.batches <= model.rows / 2


async def test_windows_of_one_chunk_and_of_others_share_batches() -> None:
    samples = recordings()[:3]
    async with engine(batch_size=4) as opened:
        alone = [await read(opened, each) for each in samples]
    async with engine(batch_size=4, cross_batch_size=8, cross_batch_wait_ms=1000) as opened:
        beside = await asyncio.gather(*(read(opened, each) for each in samples))
    assert_same_reading(beside, alone)


async def test_a_reproducible_engine_reads_bit_by_bit_the_same_beside_others() -> None:
    samples = recordings()[:4]
    async with engine(reproducible=True) as opened:
        alone = [await read(opened, each) for each in samples]
        assert await asyncio.gather(*(read(opened, each) for each in samples)) == alone
        assert opened.version(RecognizeOptions()).parameters["reproducible"] == "true"


async def test_a_version_says_where_others_may_change_the_last_bits() -> None:
    drawn = RecognizeOptions(decoding=Decoding(temperatures=(0.0, 0.4)))
    async with engine() as opened:
        assert opened.version(RecognizeOptions()).parameters["reproducible"] == "true"
        assert opened.version(drawn).parameters["reproducible"] == "false"
    async with engine(cross_batch_size=8) as opened:
        assert opened.version(RecognizeOptions()).parameters["reproducible"] == "false"


async def test_a_reproducible_engine_draws_nothing_by_lot() -> None:
    drawn = RecognizeOptions(decoding=Decoding(temperatures=(0.0, 0.4)))
    async with engine(reproducible=True) as opened:
        with pytest.raises(StageError, match="does not sample") as caught:
            opened.version(drawn)
    assert caught.value.reason == "OPTION_NOT_SUPPORTED"
    for wrong in ({"cross_batch_size": 8}, {"temperature": (0.0, 0.2)}):
        with pytest.raises(ValidationError, match="where reproducible is set"):
            WhisperSettings.model_validate({"reproducible": True, **wrong})


async def test_a_request_that_is_alone_never_waits() -> None:
    async with engine(cross_batch_size=8) as opened:
        assert isinstance(opened.network, BatchingModel)
        # Longer than a setting can say, so that a wait shows on any machine.
        opened.network._wait_seconds = LONG
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await read(opened, read_audio(SCHEDULE))


async def test_a_cpu_decodes_each_request_by_itself_unless_told() -> None:
    async with engine() as opened:
        assert not isinstance(opened.network, BatchingModel)


def test_a_batch_runs_once_all_readers_have_asked(batching: BatchingModel) -> None:
    with ThreadPoolExecutor(2) as executor, ExitStack() as readers:
        readers.enter_context(batching.reading())
        readers.enter_context(batching.reading())
        first = executor.submit(batching.encode, StorageView.from_array(WINDOW))
        time.sleep(0.1)
        assert not first.done()
        assert (batching.batching.batches, batching.batching.waiting) == (0, 1)
        second = executor.submit(batching.encode, StorageView.from_array(WINDOW))
        assert (first.result().first, second.result().first) in {(0, 1), (1, 0)}
    seen = batching.batching
    assert (seen.batches, seen.rows, seen.waiting) == (1, 2, 0)


def test_a_reader_that_leaves_is_not_waited_for(batching: BatchingModel) -> None:
    with ThreadPoolExecutor(1) as executor, batching.reading():
        with batching.reading():
            asked = executor.submit(batching.encode, StorageView.from_array(WINDOW))
            time.sleep(0.1)
            assert not asked.done()
        assert asked.result(timeout=PATIENCE_SECONDS).count == 1


def test_nobody_waits_longer_than_allowed(network: Whisper) -> None:
    with (
        closing(joined(network, wait_seconds=0.05)) as batching,
        ThreadPoolExecutor(1) as executor,
        batching.reading(),
        batching.reading(),
    ):
        asked = executor.submit(batching.encode, StorageView.from_array(WINDOW))
        assert asked.result(timeout=PATIENCE_SECONDS).count == 1


def test_a_batch_is_never_larger_than_allowed(network: Whisper) -> None:
    with closing(joined(network, max_rows=2, wait_seconds=1)) as batching, ExitStack() as readers:
        for _ in range(5):
            readers.enter_context(batching.reading())
        assert len(encode_at_once(batching, 5)) == 5
        assert (batching.batches, batching.rows) == (3, 5)


def test_calls_that_fail_together_are_done_one_by_one(network: Whisper) -> None:
    with closing(joined(NarrowNetwork(network))) as batching, ExitStack() as readers:
        for _ in range(3):
            readers.enter_context(batching.reading())
        assert [each.count for each in encode_at_once(batching, 3)] == [1, 1, 1]


def test_a_call_that_fails_alone_tells_its_reader_only(network: Whisper) -> None:
    with closing(joined(NarrowNetwork(network))) as batching:
        two = StorageView.from_array(np.concatenate([WINDOW, WINDOW]))
        with pytest.raises(RuntimeError, match="out of memory"):
            batching.encode(two)
        assert batching.encode(StorageView.from_array(WINDOW)).count == 1


def test_closing_fails_what_waits(network: Whisper) -> None:
    batching = joined(network)
    with ThreadPoolExecutor(1) as executor, batching.reading(), batching.reading():
        asked = executor.submit(batching.encode, StorageView.from_array(WINDOW))
        time.sleep(0.1)
        batching.close()
        with pytest.raises(RuntimeError, match="closed"):
            asked.result(timeout=PATIENCE_SECONDS)
    with pytest.raises(RuntimeError, match="closed"):
        batching.encode(StorageView.from_array(WINDOW))
    assert not [each for each in threading.enumerate() if each.name.startswith("whisper-batch")]


def encode_at_once(batching: BatchingModel, count: int) -> list[Any]:
    with ThreadPoolExecutor(count) as executor:
        asked: list[Future[Any]] = [
            executor.submit(batching.encode, StorageView.from_array(WINDOW)) for _ in range(count)
        ]
        return [each.result(timeout=PATIENCE_SECONDS) for each in asked]
