"""Speech that had no text is read again by itself, then reported."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from maie.asr.v1 import asr_pb2 as asr
from maie.common.v1 import types_pb2 as common
from maie_asr.engine import (
    SAMPLE_RATE,
    Capabilities,
    RecognizedSegment,
    RecognizedWord,
    RecognizeOptions,
    Samples,
    Speech,
)
from maie_asr.settings import AsrSettings, RereadSettings
from maie_asr.stage import TranscribeStage
from maie_runtime.blobs import Blobs
from tests.asr.recordings import LIBRIVOX, read_audio, wav
from tests.asr.running import responses, transcribe

pytestmark = pytest.mark.unit

# A sentence of seven seconds, one of three, and one of seven, a second apart.
LONG, SHORT = (read_audio(path) for path in LIBRIVOX)
PAUSE = np.zeros(SAMPLE_RATE, np.int16)
SAMPLES = np.concatenate([LONG, PAUSE, SHORT, PAUSE, LONG])
FIRST, SECOND, THIRD = (0.2, 6.9), (8.3, 10.9), (12.3, 18.9)


@dataclass(kw_only=True)
class Line:
    """A text that is heard where it is spoken."""

    text: str
    start: float
    end: float
    lost: bool = False
    """Only heard when it is read by itself."""
    never: bool = False
    confidence: float | None = 0.9


class LossyEngine:
    """Reads lines, and loses some of them in their surroundings."""

    description = "Loses text."
    vram_bytes = 0
    weights = None

    def __init__(self, lines: Sequence[Line], *, words: bool = True) -> None:
        self.capabilities = Capabilities(language_codes=("en", "de"), word_times=words)
        self.asked: list[tuple[float, RecognizeOptions]] = []
        self._lines = lines
        self._first = 0

    def version(self, options: RecognizeOptions) -> common.EngineVersion:
        return common.EngineVersion(engine="lossy")

    async def recognize(
        self, speech: Speech, options: RecognizeOptions
    ) -> AsyncGenerator[RecognizedSegment, None]:
        if not options.alone:
            self._first = _address(speech.samples)
        offset = (_address(speech.samples) - self._first) / 2 / SAMPLE_RATE
        self.asked.append((speech.seconds, options))
        for line in self._lines:
            start, end = line.start - offset, line.end - offset
            inside = start >= -0.3 and end <= speech.seconds + 0.3
            if inside and not line.never and (options.alone or not line.lost):
                timed = options.word_times and self.capabilities.word_times
                yield _segment(line, start, end, words=timed)


def _address(samples: Samples) -> int:
    """The samples of a second reading: a view of the chunk's, identified by its offset."""
    address: int = samples.__array_interface__["data"][0]
    return address


def _segment(line: Line, start: float, end: float, *, words: bool) -> RecognizedSegment:
    parts = line.text.split()
    each = (end - start) / len(parts)
    timed = tuple(
        RecognizedWord(
            text=part,
            start=start + each * index,
            end=start + each * (index + 1),
            confidence=line.confidence,
        )
        for index, part in enumerate(parts)
    )
    return RecognizedSegment(
        text=line.text,
        start=start,
        end=end,
        language="de",
        words=timed if words else (),
        confidence=line.confidence,
    )


def lines(**second: Any) -> list[Line]:
    """Three sentences; what is said of the second one."""
    return [
        Line(text="one of seven seconds", start=FIRST[0], end=FIRST[1]),
        replace(Line(text="the short one", start=SECOND[0], end=SECOND[1]), **second),
        Line(text="another of seven seconds", start=THIRD[0], end=THIRD[1]),
    ]


@contextmanager
def stage_of(engine: LossyEngine, settings: AsrSettings | None = None) -> Iterator[TranscribeStage]:
    with ThreadPoolExecutor(1, "asr-source") as executor:
        yield TranscribeStage(engine, settings or AsrSettings(), executor)


REQUEST = asr.TranscribeRequest(audio_content=wav(SAMPLES))


def texts(transcript: common.Transcript) -> list[str]:
    return [segment.text for segment in transcript.segments]


async def test_what_was_lost_is_read_again_and_stands_in_its_place(blobs: Blobs) -> None:
    engine = LossyEngine(lines(lost=True))
    with stage_of(engine) as stage:
        answers = await responses(stage, REQUEST, blobs)
    transcript = answers[-1].result
    assert texts(transcript) == [
        "one of seven seconds",
        "the short one",
        "another of seven seconds",
    ]
    assert (transcript.reread_count, len(transcript.unread)) == (1, 0)
    middle = transcript.segments[1]
    assert middle.start_offset.ToMilliseconds() == pytest.approx(1000 * SECOND[0], abs=1)
    assert [word.word for word in middle.words] == ["the", "short", "one"]
    # What was sent is what the transcript has, in the order of time, each under its own id.
    sent = [answer.segment for answer in answers if answer.HasField("segment")]
    assert sent == list(transcript.segments)
    assert [each.segment_id for each in sent] == [f"c0000-s{index:04d}" for index in range(3)]
    # By itself, in the language of the rest, and not the whole chunk again.
    (_, first), (seconds, again) = engine.asked
    assert (first.alone, again.alone) == (False, True)
    assert (first.language, again.language) == ("", "de")
    assert seconds < 5


@pytest.mark.parametrize("place", [0, 2])
async def test_what_was_lost_at_an_end_is_read_again(blobs: Blobs, place: int) -> None:
    all_lines = lines()
    all_lines[place].lost = True
    with stage_of(LossyEngine(all_lines)) as stage:
        transcript = await transcribe(stage, REQUEST, blobs)
    assert texts(transcript) == [line.text for line in all_lines]


async def test_all_of_it_may_be_lost_at_first(blobs: Blobs) -> None:
    all_lines = [replace(line, lost=True) for line in lines()]
    with stage_of(LossyEngine(all_lines)) as stage:
        transcript = await transcribe(stage, REQUEST, blobs)
    assert texts(transcript) == [line.text for line in all_lines]
    assert transcript.language_code == "de"


async def test_an_interval_that_fails_as_a_whole_is_read_range_by_range(blobs: Blobs) -> None:
    all_lines = lines(lost=True)
    all_lines[2] = replace(all_lines[2], lost=True)

    class WholeOrNothing(LossyEngine):
        async def recognize(
            self, speech: Speech, options: RecognizeOptions
        ) -> AsyncGenerator[RecognizedSegment, None]:
            async for segment in super().recognize(speech, options):
                if not options.alone or speech.seconds < 8:
                    yield segment

    with stage_of(WholeOrNothing(all_lines)) as stage:
        transcript = await transcribe(stage, REQUEST, blobs)
    assert texts(transcript) == [line.text for line in all_lines]
    assert (transcript.reread_count, len(transcript.unread)) == (1, 0)


async def test_what_has_no_text_even_then_is_reported(blobs: Blobs) -> None:
    with stage_of(LossyEngine(lines(never=True))) as stage:
        transcript = await transcribe(stage, REQUEST, blobs)
    assert texts(transcript) == ["one of seven seconds", "another of seven seconds"]
    assert transcript.reread_count == 1
    (unread,) = transcript.unread
    assert unread.start_offset.ToMilliseconds() == pytest.approx(1000 * SECOND[0], abs=500)
    assert unread.end_offset.ToMilliseconds() == pytest.approx(1000 * SECOND[1], abs=500)


@pytest.mark.parametrize(
    "second",
    [{"confidence": 0.2}, {"text": "no " * 20}],
    ids=["unsure", "loop"],
)
async def test_a_second_reading_invents_nothing(blobs: Blobs, second: dict[str, Any]) -> None:
    with stage_of(LossyEngine(lines(lost=True, **second))) as stage:
        transcript = await transcribe(stage, REQUEST, blobs)
    assert texts(transcript) == ["one of seven seconds", "another of seven seconds"]
    assert len(transcript.unread) == 1


async def test_a_loop_over_speech_is_replaced_by_what_was_said(blobs: Blobs) -> None:
    loop = Line(text="thank you " * 20, start=SECOND[0], end=SECOND[1])

    class Looping(LossyEngine):
        async def recognize(
            self, speech: Speech, options: RecognizeOptions
        ) -> AsyncGenerator[RecognizedSegment, None]:
            if not options.alone:
                yield _segment(loop, loop.start, loop.end, words=True)
            async for segment in super().recognize(speech, options):
                yield segment

    with stage_of(Looping(lines(lost=True))) as stage:
        transcript = await transcribe(stage, REQUEST, blobs)
    assert "the short one" in texts(transcript)
    assert [each.reason for each in transcript.suspect_texts] == [common.SUSPECT_REASON_REPETITION]


async def test_an_engine_without_word_times_is_read_again_by_its_segments(blobs: Blobs) -> None:
    engine = LossyEngine(lines(lost=True), words=False)
    with stage_of(engine) as stage:
        transcript = await transcribe(stage, REQUEST, blobs)
    assert texts(transcript) == [
        "one of seven seconds",
        "the short one",
        "another of seven seconds",
    ]


async def test_words_stay_out_where_they_were_not_asked_for(blobs: Blobs) -> None:
    request = asr.TranscribeRequest()
    request.CopyFrom(REQUEST)
    request.options.word_time_offsets = False
    with stage_of(LossyEngine(lines(lost=True))) as stage:
        transcript = await transcribe(stage, request, blobs)
    assert len(transcript.segments) == 3
    assert not any(segment.words for segment in transcript.segments)


@pytest.mark.parametrize("seconds", [0, 5])
async def test_a_setting_says_how_long_speech_must_be_to_be_missed(
    blobs: Blobs, seconds: float
) -> None:
    settings = AsrSettings(reread=RereadSettings(seconds=seconds))
    engine = LossyEngine(lines(lost=True))
    with stage_of(engine, settings) as stage:
        transcript = await transcribe(stage, REQUEST, blobs)
    assert len(engine.asked) == 1
    assert (transcript.reread_count, len(transcript.unread)) == (0, 0)
    assert transcript.asr_engine.parameters["reread.seconds"] == str(float(seconds))
