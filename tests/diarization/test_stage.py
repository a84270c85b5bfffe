"""The diarization stage as its callers see it, with the engine that ships with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from maie.common.v1 import types_pb2 as common
from maie.diarization.v1 import diarization_pb2 as diarization
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_core.durations import seconds, time_range
from maie_core.errors import StageError
from maie_diarization.engine import own_space
from maie_diarization.messages import spoken
from maie_diarization.settings import DiarizationSettings
from maie_diarization.stage import DiarizeStage, open_stage
from maie_runtime.blobs import Blobs
from maie_runtime.worker.stage import StageContext
from maie_speech.frames import SAMPLE_RATE
from maie_speech.speech import Samples
from tests.asr.recordings import read_audio, wav
from tests.diarization.messages import segment

pytestmark = pytest.mark.unit

STANDUP = Path(__file__).parents[2] / "samples" / "standup.flac"


@pytest.fixture
def context(tmp_path: Path) -> StageContext:
    return StageContext(
        job_id="job", unit="direct", attempt=1, blobs=Blobs(tmp_path.as_uri()), folder="jobs/test"
    )


@pytest_asyncio.fixture
async def stage(context: StageContext) -> AsyncIterator[DiarizeStage]:
    async with open_stage(DiarizationSettings(), context.blobs) as stage:
        yield stage


async def result(
    stage: DiarizeStage, request: diarization.DiarizeRequest, context: StageContext
) -> diarization.DiarizeResponse:
    async with aclosing(stage.run(request, context)) as run:
        return [response async for response in run][-1]


@pytest.fixture(scope="module")
def standup() -> Samples:
    """The first forty seconds of a meeting in two synthetic voices, of which both speak."""
    return read_audio(STANDUP)[: 40 * SAMPLE_RATE]


async def chunk_of(samples: Samples, context: StageContext, **of: int) -> preprocess.Chunk:
    """A chunk that begins at 100 s of its recording and is all speech."""
    whole = time_range(100, 100 + len(samples) / SAMPLE_RATE)
    audio = await context.blobs.put("jobs/test/chunk", wav(samples))
    return preprocess.Chunk(range=whole, speech=[whole], audio=audio, **of)


async def test_a_recording_goes_through_the_three_steps(
    stage: DiarizeStage, context: StageContext, standup: Samples
) -> None:
    chunk = await chunk_of(standup, context)
    voices = (await result(stage, request(speech_chunk=chunk), context)).voices
    assert voices.voices
    edges = [turn for voice in voices.voices for turn in voice.turns]
    assert all(
        100 <= seconds(turn.start_offset) < seconds(turn.end_offset) <= 140.1 for turn in edges
    )
    source = diarization.VoicesSource(parts=[await context.blobs.put_message("voices", voices)])
    made = (await result(stage, request(voices=source), context)).diarization
    assert [each.speaker for each in made.speakers] == ["S1", "S2"]
    assert made.embedding_space == voices.embedding_space
    assert 0 < made.same_person < 1
    first_voice, second_voice = (np.frombuffer(each.embedding, "<f4") for each in made.voices)
    assert [each.speaker for each in made.voices] == ["S1", "S2"]
    assert np.linalg.norm(first_voice) == pytest.approx(1, abs=1e-5)
    assert first_voice @ second_voice < made.same_person
    for speaker, heard in zip(made.speakers, made.voices, strict=True):
        assert 3 < seconds(heard.clean_duration) <= seconds(speaker.speech_duration)
    # They speak by turns, nine times by then.
    long = [turn for turn in made.turns if spoken([turn.range]) > 0.5]
    assert [turn.speaker for turn in long][:8] == ["S1", "S2"] * 4
    assert 0 <= made.count_confidence <= 1
    starts = [seconds(turn.range.start_offset) for turn in made.turns]
    assert starts == sorted(starts)
    first, second = ((turn.range, turn.speaker) for turn in made.turns[:2])
    said = [("one", 0, first), ("two", 0, second)]
    words = [
        (word, seconds(span.start_offset), seconds(span.end_offset)) for word, _, (span, _) in said
    ]
    transcript = common.Transcript(segments=[segment(*words)], punctuated=True)
    merge = diarization.WordsSource(
        transcript=await context.blobs.put_message("words", transcript),
        diarization=await context.blobs.put_message("diarization", made),
    )
    last = await result(stage, request(words=merge), context)
    assert [each.speaker for each in last.transcript.segments] == [first[1], second[1]]
    assert stage.facts(last).punctuated
    assert last.transcript.diarization_engine == stage.models()[0].engine


async def test_audio_in_the_request_needs_no_steps(
    stage: DiarizeStage, context: StageContext, standup: Samples
) -> None:
    made = (await result(stage, request(audio_content=wav(standup)), context)).diarization
    assert len(made.speakers) == 2
    one = diarization.SpeakerOptions(speaker_count=1)
    asked = request(audio_content=wav(standup), options=one)
    made = (await result(stage, asked, context)).diarization
    assert [each.speaker for each in made.speakers] == ["S1"]
    assert not made.HasField("count_confidence")


async def test_a_channel_is_a_speaker_and_is_not_listened_to(
    stage: DiarizeStage, context: StageContext
) -> None:
    parts = []
    for channel, start in ((1, 8), (2, 3)):
        speech = time_range(start, start + 2)
        # Without audio, which nobody reads.
        chunk = preprocess.Chunk(range=time_range(0, 20), speech=[speech], channel=channel)
        voices = (await result(stage, request(speech_chunk=chunk), context)).voices
        parts.append(await context.blobs.put_message("voices", voices))
    source = diarization.VoicesSource(parts=parts)
    made = (await result(stage, request(voices=source), context)).diarization
    assert [(each.speaker, each.channel) for each in made.speakers] == [("S1", 2), ("S2", 1)]
    assert [seconds(each.speech_duration) for each in made.speakers] == [2, 2]
    assert not made.HasField("count_confidence")


async def test_voices_of_another_engine_are_found_anew(
    stage: DiarizeStage, context: StageContext, standup: Samples
) -> None:
    chunk = await chunk_of(standup, context)
    strange = diarization.Voice(turns=[time_range(100, 101)], embedding=b"\0" * 12)
    other = diarization.Voices(chunk=chunk, voices=[strange], embedding_space="other:1")
    source = diarization.VoicesSource(parts=[await context.blobs.put_message("voices", other)])
    made = (await result(stage, request(voices=source), context)).diarization
    assert len(made.speakers) == 2
    assert made.engine == stage.models()[0].engine


async def test_where_nobody_speaks_there_are_no_speakers(
    stage: DiarizeStage, context: StageContext
) -> None:
    silent = preprocess.Chunk(range=time_range(0, 5))
    voices = (await result(stage, request(speech_chunk=silent), context)).voices
    assert not voices.voices
    parts = [await context.blobs.put_message("voices", voices)]
    for source in (diarization.VoicesSource(), diarization.VoicesSource(parts=parts)):
        made = (await result(stage, request(voices=source), context)).diarization
        assert not made.speakers
        assert not made.turns


async def test_speech_too_short_to_know_a_voice_is_one_speakers(
    stage: DiarizeStage, context: StageContext
) -> None:
    click = preprocess.Chunk(range=time_range(0, 5), speech=[time_range(1, 1.05)])
    heard = diarization.Voices(chunk=click, embedding_space=space(stage))
    source = diarization.VoicesSource(parts=[await context.blobs.put_message("voices", heard)])
    made = (await result(stage, request(voices=source), context)).diarization
    assert [each.speaker for each in made.speakers] == ["S1"]
    assert (made.turns[0].range, made.count_confidence) == (time_range(1, 1.05), 0.0)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"speaker_count": 0}, "options.speaker_count"),
        ({"max_speaker_count": 51}, "options.max_speaker_count"),
        ({"speaker_count": 2, "max_speaker_count": 3}, "options.max_speaker_count"),
        ({"min_speaker_count": 4, "max_speaker_count": 3}, "options.min_speaker_count"),
    ],
)
async def test_numbers_of_speakers_that_cannot_be_are_refused(
    stage: DiarizeStage, context: StageContext, options: dict[str, int], field: str
) -> None:
    asked = request(audio_content=b"", options=diarization.SpeakerOptions(**options))
    with pytest.raises(StageError) as refused:
        await result(stage, asked, context)
    assert refused.value.reason == "OPTION_OUT_OF_RANGE"
    assert refused.value.field == field


async def test_a_request_without_a_source_is_refused(
    stage: DiarizeStage, context: StageContext
) -> None:
    with pytest.raises(StageError) as refused:
        await result(stage, request(), context)
    assert refused.value.reason == "SOURCE_MISSING"


def request(**of: object) -> diarization.DiarizeRequest:
    return diarization.DiarizeRequest(**of)  # type: ignore[arg-type]


def space(stage: DiarizeStage) -> str:
    return own_space(stage.models()[0].engine)
