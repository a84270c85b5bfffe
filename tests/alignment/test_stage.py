"""The alignment stage as its callers see it, with the engine that ships with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from maie.alignment.v1 import alignment_pb2 as alignment
from maie.common.v1 import types_pb2 as common
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_alignment.settings import AlignmentSettings
from maie_alignment.stage import AlignStage, open_stage
from maie_core.durations import duration, seconds
from maie_core.errors import StageError
from maie_core.limits import MAX_READING_TEXT_CHARACTERS
from maie_core.reasons import Reason
from maie_runtime.blobs import Blobs
from maie_runtime.worker.stage import StageContext
from maie_speech.frames import SAMPLE_RATE
from maie_speech.speech import Samples
from tests.alignment.readings import AMIABLE, AMIABLE_TEXT, heard, read_audio
from tests.asr.recordings import wav

pytestmark = pytest.mark.unit

ASR = common.EngineVersion(engine="a recogniser")
# Where the second chunk begins, after silence that belongs to none.
SECOND = 60.0


@pytest.fixture
def context(tmp_path: Path) -> StageContext:
    return StageContext(
        job_id="job", unit="direct", attempt=1, blobs=Blobs(tmp_path.as_uri()), folder="jobs/test"
    )


@pytest_asyncio.fixture
async def stage(context: StageContext) -> AsyncIterator[AlignStage]:
    async with open_stage(AlignmentSettings(), context.blobs) as stage:
        yield stage


@pytest.fixture(scope="module")
def audio() -> Samples:
    return read_audio(AMIABLE)


def transcript(offset: float = 0.0, *, times: bool = True) -> common.Transcript:
    """What is said in the recording, which begins at an offset."""
    said = heard()
    words = [
        common.Word(
            word=each.text,
            start_offset=duration(offset + each.start),
            end_offset=duration(offset + each.end),
        )
        for each in said
    ]
    segment = common.Segment(
        text=" ".join(each.text for each in said),
        start_offset=words[0].start_offset,
        end_offset=words[-1].end_offset,
        words=words if times else (),
    )
    return common.Transcript(segments=[segment], asr_engine=ASR, language_code="en-GB")


async def result(
    stage: AlignStage, request: alignment.AlignRequest, context: StageContext
) -> alignment.Reading:
    async with aclosing(stage.run(request, context)) as run:
        responses = [response async for response in run]
    *progress, last = responses
    assert [each.WhichOneof("update") for each in progress] == ["progress"] * len(progress)
    assert progress[-1].progress.fraction == 1
    return last.reading


async def stored(
    audio: Samples, context: StageContext, text: str, *channels: int
) -> alignment.AlignRequest:
    """A recording of two chunks, each with the same words."""
    chunks, transcripts = [], []
    for index, start in enumerate((0.0, SECOND)):
        span = common.TimeRange(
            start_offset=duration(start), end_offset=duration(start + len(audio) / SAMPLE_RATE)
        )
        chunk = preprocess.Chunk(
            index=index,
            range=span,
            speech=[span],
            audio=await context.blobs.put(f"jobs/test/audio-{index}", wav(audio)),
            channel=channels[index] if channels else 0,
        )
        chunks.append(chunk)
        made = transcript(start)
        transcripts.append(await context.blobs.put_message("jobs/test/transcript", made))
    plan = preprocess.PreprocessResult(chunks=chunks)
    options = alignment.ReadingOptions(text=text)
    return alignment.AlignRequest(
        chunks=alignment.ChunksSource(
            preprocessed=await context.blobs.put_message("jobs/test/plan", plan),
            transcripts=transcripts,
        ),
        stored_options=await context.blobs.put_message("jobs/test/options", options),
    )


async def test_a_stored_recording_is_compared_chunk_by_chunk(
    stage: AlignStage, audio: Samples, context: StageContext
) -> None:
    text = f"{AMIABLE_TEXT} {AMIABLE_TEXT.replace('respectable', 'delighted')}"
    reading = await result(stage, await stored(audio, context, text), context)
    assert (reading.figures.words, reading.figures.correct, reading.figures.wrong) == (36, 35, 1)
    (wrong,) = (each for each in reading.words if each.outcome == alignment.WORD_OUTCOME_WRONG)
    assert (wrong.text, wrong.heard) == ("delighted", "respectable")
    assert seconds(wrong.range.start_offset) > SECOND
    first, second = reading.words[0], reading.words[18]
    assert seconds(second.range.start_offset) - seconds(first.range.start_offset) == pytest.approx(
        SECOND, abs=0.05
    )
    assert all(each.score > 0.1 and each.phones and each.letters for each in reading.words)
    assert (reading.engine.engine, reading.asr_engine) == ("embedded", ASR)
    assert not reading.warnings


async def test_audio_in_the_request_is_compared_with_and_without_a_transcript(
    stage: AlignStage, audio: Samples, context: StageContext
) -> None:
    request = alignment.AlignRequest(
        audio_content=wav(audio), text=AMIABLE_TEXT.replace("still ", "")
    )
    unheard = await result(stage, request, context)
    assert (unheard.figures.correct, unheard.figures.inserted) == (17, 0)
    assert not unheard.HasField("asr_engine")
    for times in (True, False):
        request.transcript.CopyFrom(transcript(times=times))
        known = await result(stage, request, context)
        assert (known.figures.correct, known.figures.inserted) == (17, 1)


async def test_a_text_of_another_recording_is_warned_of(
    stage: AlignStage, audio: Samples, context: StageContext
) -> None:
    other = "The quick brown fox jumps over the lazy dog, and nobody knows why it does so."
    request = alignment.AlignRequest(audio_content=wav(audio), text=other, transcript=transcript())
    reading = await result(stage, request, context)
    (warning,) = reading.warnings
    assert warning.reason == "TEXT_DIFFERS"
    assert warning.metadata == {
        "correct": str(reading.figures.correct),
        "words": str(reading.figures.words),
    }


async def test_where_nobody_speaks_no_word_is_reached(
    stage: AlignStage, context: StageContext
) -> None:
    plan = await context.blobs.put_message("jobs/test/plan", preprocess.PreprocessResult())
    request = alignment.AlignRequest(
        chunks=alignment.ChunksSource(preprocessed=plan), text=AMIABLE_TEXT
    )
    reading = await result(stage, request, context)
    outcomes = {each.outcome for each in reading.words}
    assert outcomes == {alignment.WORD_OUTCOME_NOT_REACHED}
    assert [each.reason for each in reading.warnings] == ["TEXT_DIFFERS"]


SHORT = wav(np.zeros(SAMPLE_RATE, np.int16))
LONG = wav(np.zeros(41 * SAMPLE_RATE, np.int16))


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (alignment.AlignRequest(text="A word"), Reason.SOURCE_MISSING),
        (alignment.AlignRequest(audio_content=SHORT), Reason.READING_TEXT_INVALID),
        (alignment.AlignRequest(audio_content=SHORT, text=" — "), Reason.READING_TEXT_INVALID),
        (
            alignment.AlignRequest(
                audio_content=SHORT, text="a" * (MAX_READING_TEXT_CHARACTERS + 1)
            ),
            Reason.READING_TEXT_INVALID,
        ),
        (alignment.AlignRequest(audio_content=SHORT, text="a\x1b[2J"), Reason.FIELD_INVALID),
        (alignment.AlignRequest(audio_content=b"none", text="A word"), Reason.AUDIO_CORRUPT),
        (alignment.AlignRequest(audio_content=LONG, text="A word"), Reason.AUDIO_TOO_LONG),
    ],
)
async def test_what_cannot_be_compared_is_refused(
    stage: AlignStage, context: StageContext, request_: alignment.AlignRequest, reason: Reason
) -> None:
    with pytest.raises(StageError) as caught:
        await result(stage, request_, context)
    assert caught.value.reason == reason


async def test_another_language_is_refused_by_its_name(
    stage: AlignStage, audio: Samples, context: StageContext
) -> None:
    heard_as = transcript()
    heard_as.language_code = "de"
    request = alignment.AlignRequest(
        audio_content=wav(audio), text=AMIABLE_TEXT, transcript=heard_as
    )
    with pytest.raises(StageError, match="heard as de") as caught:
        await result(stage, request, context)
    assert caught.value.reason == Reason.LANGUAGE_NOT_SUPPORTED


async def test_channels_that_were_read_one_by_one_are_refused(
    stage: AlignStage, audio: Samples, context: StageContext
) -> None:
    with pytest.raises(StageError) as caught:
        await result(stage, await stored(audio, context, AMIABLE_TEXT, 1, 2), context)
    assert caught.value.reason == Reason.OPTION_NOT_SUPPORTED
