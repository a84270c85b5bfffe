"""The enhancement stage as its callers see it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import pytest_asyncio
from google.protobuf.duration_pb2 import Duration

from maie.common.v1 import types_pb2 as common
from maie.enhancement.v1 import enhancement_pb2 as enhancement
from maie_core.errors import Code, StageError
from maie_enhancement.engine import Piece, Segment
from maie_enhancement.settings import EnhancementSettings
from maie_enhancement.stage import EnhanceStage, open_stage
from maie_llm import Generation
from maie_runtime.blobs import Blobs
from maie_runtime.worker.stage import StageContext, ignore_heartbeat

pytestmark = pytest.mark.unit


@pytest.fixture
def context(tmp_path: Path) -> StageContext:
    return StageContext(
        job_id="job", unit="direct", attempt=1, blobs=Blobs(tmp_path.as_uri()), folder="jobs/test"
    )


@pytest_asyncio.fixture
async def stage(context: StageContext) -> AsyncIterator[EnhanceStage]:
    async with open_stage(EnhancementSettings(), context.blobs) as stage:
        yield stage


def transcript(*texts: str, punctuated: bool = False) -> common.Transcript:
    return common.Transcript(
        language_code="en-US",
        punctuated=punctuated,
        asr_engine=common.EngineVersion(engine="pocketsphinx"),
        segments=[
            common.Segment(
                segment_id=f"c0000-s{at:04d}",
                text=text,
                start_offset=Duration(seconds=4 * at),
                end_offset=Duration(seconds=4 * at + 3),
            )
            for at, text in enumerate(texts)
        ],
    )


async def test_a_stored_transcript_comes_back_with_clean_text_beside_the_raw(
    stage: EnhanceStage, context: StageContext
) -> None:
    raw = transcript(
        "good morning everyone let us start with the release", "do we need more people"
    )
    blob = await context.blobs.put_message("in", raw)
    request = enhancement.EnhanceRequest(transcript_blob=blob)
    responses = [response async for response in stage.run(request, context)]

    result = responses[-1].result
    assert [segment.clean_text for segment in result.segments] == [
        "Good morning everyone. Let us start with the release.",
        "Do we need more people?",
    ]
    assert 0 < result.edit_rate < 0.15
    assert result.enhancement_engine == stage.models()[0].engine
    assert len(result.enhancement_engine.checkpoint_sha256) == 64
    for before, after in zip(raw.segments, result.segments, strict=True):
        after.ClearField("clean_text")
        assert after == before

    deltas = [response.delta for response in responses if response.HasField("delta")]
    assert [delta.segment_id for delta in deltas] == ["c0000-s0000", "c0000-s0001"]
    assert deltas[1].clean_text == "Do we need more people?"
    fractions = [r.progress.fraction for r in responses if r.HasField("progress")]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1


async def test_a_punctuated_transcript_stays_as_it_is(
    stage: EnhanceStage, context: StageContext
) -> None:
    raw = transcript("It is done, isn't it?", punctuated=True)
    [response] = [r async for r in stage.run(enhancement.EnhanceRequest(transcript=raw), context)]
    assert response.result.segments[0].clean_text == "It is done, isn't it?"
    assert response.result.HasField("edit_rate")
    assert response.result.edit_rate == 0
    assert not response.result.HasField("enhancement_engine")


async def test_clean_text_that_is_there_stays_and_the_rest_goes_with_it(
    stage: EnhanceStage, context: StageContext
) -> None:
    raw = transcript("we have to talk about the", "budget for next year", "do we need more people")
    raw.enhancement_engine.engine = "earlier"
    raw.segments[0].clean_text = "We have to talk about the"
    responses = [r async for r in stage.run(enhancement.EnhanceRequest(transcript=raw), context)]
    result = responses[-1].result
    assert [segment.clean_text for segment in result.segments] == [
        "We have to talk about the",
        "budget for next year.",
        "Do we need more people?",
    ]
    assert [r.delta.segment_id for r in responses if r.HasField("delta")] == [
        "c0000-s0001",
        "c0000-s0002",
    ]
    assert result.enhancement_engine == stage.models()[0].engine

    # All of it is there: nothing is written anew, whoever wrote it.
    result.segments[2].clean_text = "DO WE need more people!"
    result.enhancement_engine.engine = "earlier"
    request = enhancement.EnhanceRequest(transcript=result)
    (last,) = [r async for r in stage.run(request, context)]
    assert [segment.clean_text for segment in last.result.segments] == [
        "We have to talk about the",
        "budget for next year.",
        "DO WE need more people!",
    ]
    assert last.result.enhancement_engine.engine == "earlier"
    assert last.result.edit_rate > result.edit_rate


async def test_silence_gives_an_empty_transcript(
    stage: EnhanceStage, context: StageContext
) -> None:
    request = enhancement.EnhanceRequest(transcript=common.Transcript())
    responses = [response async for response in stage.run(request, context)]
    assert responses[-1].HasField("result")
    assert not responses[-1].result.segments


async def test_a_request_without_a_transcript_is_refused(
    stage: EnhanceStage, context: StageContext
) -> None:
    with pytest.raises(StageError) as caught:
        await anext(stage.run(enhancement.EnhanceRequest(), context))
    assert caught.value.reason == "SOURCE_MISSING"


class Rewriter:
    """An engine that does what none may do."""

    description = "Changes words."
    language_codes = ()
    max_word_change = 0.0
    weights = None

    def version(self, generation: Generation) -> common.EngineVersion:
        return common.EngineVersion(engine="rewriter")

    async def enhance(
        self,
        segments: Sequence[Segment],
        language_code: str,
        generation: Generation,
        heartbeat: Callable[[], None] = ignore_heartbeat,
    ) -> AsyncGenerator[Piece, None]:
        for index in range(len(segments)):
            yield Piece(segment=index, text="Something ")
            yield Piece(segment=index, text="else.")


async def test_an_engine_that_changes_words_fails_the_unit(context: StageContext) -> None:
    with ThreadPoolExecutor(1) as executor:
        stage = EnhanceStage(Rewriter(), executor)
        request = enhancement.EnhanceRequest(transcript=transcript("nothing else"))
        with pytest.raises(StageError) as caught:
            [response async for response in stage.run(request, context)]
    assert caught.value.reason == "WORDS_CHANGED"


async def test_a_segment_that_contradicts_itself_is_the_callers_fault(
    stage: EnhanceStage, context: StageContext
) -> None:
    segment = common.Segment(segment_id="a", text="we meet", clean_text="They left.")
    given = common.Transcript(segments=[segment, common.Segment(segment_id="b", text="yes")])
    with pytest.raises(StageError) as refused:
        _ = [
            each async for each in stage.run(enhancement.EnhanceRequest(transcript=given), context)
        ]
    assert (refused.value.code, refused.value.reason) == (Code.INVALID_ARGUMENT, "FIELD_INVALID")
