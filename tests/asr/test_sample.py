"""The sample meeting, cut into chunks that two decoders read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import jiwer
import pytest
import pytest_asyncio

from maie.asr.v1 import asr_pb2 as asr
from maie.common.v1 import types_pb2 as common
from maie_asr.engine import SAMPLE_RATE
from maie_asr.settings import AsrSettings
from maie_asr.stage import open_stage
from maie_asr.vad import VoiceActivity
from maie_runtime.blobs import Blobs
from tests.asr.recordings import (
    STANDUP,
    STANDUP_TEXT,
    chunk_request,
    read_audio,
    spoken_words,
    store_plan,
    wav,
)
from tests.asr.running import text_of, transcribe

pytestmark = [
    pytest.mark.unit,
    # A minute of speech takes a quarter of that on an idle core, and it is read twice;
    # tests/asr/test_pocketsphinx.py reads single sentences.
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
]

MAX_WORD_ERROR_RATE = 0.05
RANGES_PER_CHUNK = 3
# What a single call reads in comparison: several chunks' worth, ending in a pause.
RANGES_AT_ONCE = 8


@dataclass(kw_only=True, frozen=True)
class Readings:
    """What came of the sample.

    Attributes:
        chunked: All of it, chunk by chunk.
        at_once: The first ranges in one direct call.
    """

    chunked: list[common.Segment]
    at_once: list[common.Segment]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def readings(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Readings]:
    blobs = Blobs(f"file://{tmp_path_factory.mktemp('blobs')}")
    samples = read_audio(STANDUP)
    ranges = VoiceActivity(samples).find_speech()
    chunks = [ranges[at : at + RANGES_PER_CHUNK] for at in range(0, len(ranges), RANGES_PER_CHUNK)]
    plan = await store_plan(blobs, samples, chunks)
    pause = (ranges[RANGES_AT_ONCE - 1].end + ranges[RANGES_AT_ONCE].start) // 2
    direct = asr.TranscribeRequest(audio_content=wav(samples[:pause]))
    async with open_stage(AsrSettings(engine="pocketsphinx", slots=2), blobs) as stage:
        # In any order: the last chunk first.
        requests = [chunk_request(plan, index) for index in reversed(range(len(chunks)))]
        at_once, *backwards = await asyncio.gather(
            *(transcribe(stage, request, blobs) for request in [direct, *requests])
        )
    chunked = [segment for each in reversed(backwards) for segment in each.segments]
    yield Readings(chunked=chunked, at_once=list(at_once.segments))


async def test_the_sample_is_read_right(readings: Readings) -> None:
    spoken = " ".join(spoken_words(STANDUP_TEXT))
    heard = text_of(common.Transcript(segments=readings.chunked))
    assert jiwer.wer(spoken, heard) < MAX_WORD_ERROR_RATE


@pytest.mark.parametrize(
    "phrase",
    [
        "we decided to release the new version on thursday",
        "we also decided to keep the old price for current customers",
        "david will write the release notes by wednesday",
        "susan will send the invoice to the customer by friday",
        "michael will move the database to a new machine by next tuesday",
        "our next meeting is on monday the fifth of may",
    ],
)
async def test_decisions_owners_and_dates_are_read_word_by_word(
    readings: Readings, phrase: str
) -> None:
    assert phrase in text_of(common.Transcript(segments=readings.chunked))


async def test_no_word_is_cut_doubled_or_moved_where_chunks_meet(readings: Readings) -> None:
    at_once = timed_words(readings.at_once)
    assert timed_words(readings.chunked)[: len(at_once)] == at_once


async def test_words_are_in_order_over_the_whole_recording(readings: Readings) -> None:
    starts = [start for start, _, _ in timed_words(readings.chunked)]
    assert starts == sorted(starts)
    assert starts[-1] < len(read_audio(STANDUP)) / SAMPLE_RATE


async def test_segment_ids_name_chunk_and_place(readings: Readings) -> None:
    ids = [segment.segment_id for segment in readings.chunked]
    assert ids[:4] == ["c0000-s0000", "c0000-s0001", "c0000-s0002", "c0001-s0000"]
    assert len(set(ids)) == len(ids)


def timed_words(segments: list[common.Segment]) -> list[tuple[float, float, str]]:
    """Words with times in the recording, to the decoder's hundredth of a second."""
    return [
        (
            round(word.start_offset.ToMilliseconds() / 1000, 2),
            round(word.end_offset.ToMilliseconds() / 1000, 2),
            word.word,
        )
        for segment in segments
        for word in segment.words
    ]
