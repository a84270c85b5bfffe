"""Summaries know who spoke: promises have owners, quotes have speakers, and so have citations."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
import pytest_asyncio
from google.protobuf import json_format
from google.protobuf.duration_pb2 import Duration

from maie.common.v1 import types_pb2 as common
from maie.summary.v1 import summary_pb2 as summary
from maie_llm import Generation
from maie_runtime.worker.stage import StageContext
from maie_summary.engine import Segment
from maie_summary.engines.extractive.sentences import split_sentences
from maie_summary.llm.cited import Citation
from maie_summary.llm.engine import LanguageModelEngine
from maie_summary.llm.lines import halves
from maie_summary.llm.prompt import SPEAKERS, Line
from maie_summary.llm.support import Support
from maie_summary.settings import SummarySettings
from maie_summary.stage import SummarizeStage, open_stage
from tests.scripted_model import ScriptedModel
from tests.summary.asking import ask, request
from tests.summary.points import POINTS, content, lines, summarise

pytestmark = pytest.mark.unit

TALK = (
    ("S1", "Good morning, the budget of the new search page is the first thing today."),
    ("S1", "I will send the budget report to the board by Friday."),
    ("S2", "I'll write the release notes by Monday."),
    ("S2", "Anna, can you book the large room for Tuesday?"),
    ("S1", "We decided to release the new search page on Thursday."),
    ("S2", "Sarah will call the customers by Wednesday."),
)


@pytest_asyncio.fixture
async def stage(context: StageContext) -> AsyncIterator[SummarizeStage]:
    async with open_stage(SummarySettings(), context.blobs) as stage:
        yield stage


def transcript(
    said: Sequence[tuple[str, str]] = TALK, *, first: int = 0, split: bool = False
) -> common.Transcript:
    """A talk, in which each speaker may have the channel of the other's number."""
    return common.Transcript(
        language_code="en",
        segments=[
            common.Segment(
                segment_id=f"c0000-s{at:04d}",
                text=text,
                speaker=speaker or None,
                channel=3 - int(speaker[1:]) if split else 0,
                start_offset=Duration(seconds=4 * at),
                end_offset=Duration(seconds=4 * at + 3),
            )
            for at, (speaker, text) in enumerate(said, first)
        ],
    )


def owners(filled: summary.Summary) -> dict[str, Any]:
    items = json_format.MessageToDict(filled.content)["action_items"]
    return {item["task"].split()[0]: item["owner"] for item in items}


@pytest.mark.parametrize(
    ("names", "split", "expected"),
    [
        ({"S1": "Anna Weiß", "S2": ""}, False, ("Anna Weiß", "Speaker 2")),
        ({"S2": "Ben"}, True, ("Channel 2", "Ben")),
    ],
)
async def test_who_says_that_they_will_do_something_owns_it(
    stage: SummarizeStage,
    context: StageContext,
    names: dict[str, str],
    split: bool,
    expected: tuple[str, str],
) -> None:
    asked = request(transcript=transcript(split=split), speaker_names=names)
    filled = (await ask(stage, context, asked)).summary
    first, second = expected
    assert owners(filled) == {"Send": first, "Write": second, "Book": "Anna", "Call": "Sarah"}
    cited = {
        each.pointer: (list(each.segment_ids), list(each.speakers)) for each in filled.citations
    }
    assert cited["/action_items/0"] == (["c0000-s0001"], ["S1"])
    assert cited["/action_items/1"] == (["c0000-s0002"], ["S2"])


async def test_nobody_owns_a_promise_where_speakers_are_unknown(
    stage: SummarizeStage, context: StageContext
) -> None:
    said = transcript([("", text) for _, text in TALK])
    filled = (await ask(stage, context, request(transcript=said))).summary
    assert owners(filled) == {"Send": None, "Write": None, "Book": "Anna", "Call": "Sarah"}
    assert not any(each.speakers for each in filled.citations)


async def test_names_count_as_they_are_when_the_parts_are_joined(
    stage: SummarizeStage, context: StageContext
) -> None:
    parts = []
    for first in (0, 3):
        blob = await context.blobs.put_message("in", transcript(TALK[first:][:3], first=first))
        mapped = await ask(stage, context, request(map=blob, speaker_names={"S1": "Annna"}))
        parts.append(await context.blobs.put_message("parts", mapped))
    joined = request(reduce=summary.ReduceSource(parts=parts), speaker_names={"S1": "Anna"})
    filled = (await ask(stage, context, joined)).summary
    assert owners(filled)["Send"] == "Anna"
    assert owners(filled)["Write"] == "Speaker 2"
    decided = next(each for each in filled.citations if each.pointer == "/decisions/0")
    assert (list(decided.segment_ids), list(decided.speakers)) == (["c0000-s0004"], ["S1"])


async def test_a_quote_has_its_speaker(stage: SummarizeStage, context: StageContext) -> None:
    said = (
        *TALK,
        ("S2", "The customers like the new search page and the large release."),
        ("S1", "The board wants the budget of the release before the customers call."),
    )
    asked = request(transcript=transcript(said), speaker_names={"S2": "Ben"})
    asked.template_id = "interview_v1"
    filled = json_format.MessageToDict((await ask(stage, context, asked)).summary.content)
    quoted = {each["quote"]: each["speaker"] for each in filled["quotes"]}
    assert set(quoted.values()) == {"Speaker 1", "Ben"}
    expected = {text: {"S1": "Speaker 1", "S2": "Ben"}[speaker] for speaker, text in said}
    assert quoted.items() <= expected.items()


def test_no_sentence_is_of_two_speakers() -> None:
    said = (("S1", "We ship the new"), ("S1", "version today."), ("S1", "And"), ("S2", "why?"))
    found = split_sentences(
        [
            Segment(segment_id=str(at), text=text, speaker=speaker)
            for at, (speaker, text) in enumerate(said)
        ]
    )
    assert [(each.text, each.segment_ids, each.speaker) for each in found] == [
        ("We ship the new version today.", ("0", "1"), "S1"),
        ("And", ("2",), "S1"),
        ("why?", ("3",), "S2"),
    ]


async def asked_of_a_model(speakers: dict[str, str]) -> str:
    model = ScriptedModel(summarise)
    engine = LanguageModelEngine(model, SummarySettings())
    said = [
        Segment(segment_id="a", text="hello", speaker="S1"),
        Segment(segment_id="b", text="good day"),
    ]
    notes = json.loads(json.dumps(await engine.map(said, POINTS, "en")))
    await engine.reduce([notes], POINTS, Generation(), speakers=speakers)
    assert [number for number, _ in lines(model.prompts[0])] == [1, 2]
    return content(model.prompts[0])


async def test_a_language_model_reads_who_says_each_line() -> None:
    prompt = await asked_of_a_model({"S1": "Anna"})
    assert "\n[1] Anna: hello\n[2] good day\n" in prompt
    assert prompt.endswith(SPEAKERS)


async def test_a_language_model_is_told_nothing_of_speakers_where_there_are_none() -> None:
    prompt = await asked_of_a_model({})
    assert "\n[1] hello\n[2] good day\n" in prompt
    assert SPEAKERS not in prompt


def test_the_halves_of_a_line_have_its_speaker() -> None:
    parts = halves((Line(number=1, text="one two", speaker="Anna"),))
    assert parts is not None
    assert [(each.text.strip(), each.speaker) for half in parts for each in half] == [
        ("one", "Anna"),
        ("two", "Anna"),
    ]


@pytest.mark.parametrize(
    ("texts", "is_supported"),
    [
        (("Send the report", "Anna"), True),
        (("Anna",), True),
        (("Anna bakes bread",), False),
    ],
)
def test_the_name_of_a_speaker_supports_nothing_and_needs_no_support(
    texts: tuple[str, ...], is_supported: bool
) -> None:
    said = (Line(number=1, text="I will send the report.", speaker="Anna"),)
    support = Support(POINTS, said, "en")
    found = support.problem([Citation(pointer="/points/0", lines=(1,), texts=texts)])
    assert (found == "") is is_supported
