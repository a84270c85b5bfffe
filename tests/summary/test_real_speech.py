"""The engine `extractive` on real speech and on other languages: what it cannot say stays empty."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from google.protobuf import json_format

from maie.common.v1 import types_pb2 as common
from maie.summary.v1 import summary_pb2 as summary
from maie_runtime.worker.stage import StageContext
from maie_summary.settings import SummarySettings
from maie_summary.stage import open_stage
from tests.summary.asking import TALK, ask, request, transcript

pytestmark = pytest.mark.unit

# The LibriVox clips of tests/data/librivox and the three next to them in pocketsphinx's sources.
READING = """
And Mr. John Dashwood had then leisure to consider how much there might be prudently in his power \
to do for them.
He was not an ill-disposed young man, unless to be rather cold-hearted and rather selfish is to be \
ill-disposed.
Had he married a more amiable woman, he might have been made still more respectable than he was.
He might even have been made amiable himself.
""".strip().splitlines()
RAW_READING = """
and mister john dashwood had then leisure to consider how much there might be prudently in his \
power to do for them
he was not an ill disposed young man
unless to be rather cold hearted and rather selfish is to be ill disposed
had he married a more amiable woman he might have been made still more respectable than he was
he might even have been made amiable himself
""".strip().splitlines()
GERMAN = [
    "Guten Morgen, wir haben heute viel zu tun.",
    "Die Rechnung muss bis Freitag verschickt werden.",
    "Wir haben beschlossen, die neue Version am Donnerstag zu veröffentlichen.",
    "Die Kunden wollen wissen, wann die neue Version kommt.",
    "Peter schreibt bis Mittwoch die Dokumentation.",
    "Was machen wir mit dem Server für die Zahlungen?",
    "Der Server für die Zahlungen ist am Montag ausgefallen.",
    "Wir brauchen einen zweiten Server für die Zahlungen.",
]


async def result(
    context: StageContext, said: Sequence[str], language_code: str, template_id: str
) -> tuple[dict[str, Any], Sequence[common.Warning]]:
    """The content and the warnings of a summary in both steps."""
    spoken = transcript(said)
    spoken.language_code = language_code
    async with open_stage(SummarySettings(), context.blobs) as stage:
        asked = summary.SummarizeRequest(template_id=template_id)
        asked.map.CopyFrom(await context.blobs.put_message("in", spoken))
        part = await context.blobs.put_message("parts", await ask(stage, context, asked))
        whole = summary.SummarizeRequest(
            template_id=template_id, reduce=summary.ReduceSource(parts=[part])
        )
        filled = await ask(stage, context, whole)
        asked = summary.SummarizeRequest(template_id=template_id, transcript=spoken)
        assert await ask(stage, context, asked) == filled
    return json_format.MessageToDict(filled.summary.content), filled.warnings


@pytest.mark.parametrize("said", [READING, RAW_READING], ids=["clean", "raw"])
@pytest.mark.parametrize("template_id", ["meeting_notes_v1", "lecture_v1", "interview_v1"])
async def test_of_a_short_reading_nothing_is_worth_a_summary(
    context: StageContext, said: list[str], template_id: str
) -> None:
    content, warnings = await result(context, said, "en", template_id)
    assert not any(content.values())
    assert not warnings


async def test_an_abstract_leaves_most_out_and_starts_where_it_matters(
    context: StageContext,
) -> None:
    """Sentences that have nothing to do with any other are not central for standing first."""
    said = [
        "The curtains were green.",
        "Somebody knocked twice.",
        "Nobody expected guests.",
        *TALK,
    ]
    content, _ = await result(context, said, "en-GB", "meeting_notes_v1")
    assert "curtains" not in content["abstract"]
    assert "knocked" not in content["abstract"]
    assert "payment server" in content["abstract"]
    assert 0 < content["abstract"].count(".") <= len(said) / 3


async def test_concepts_are_nouns_that_come_back(context: StageContext) -> None:
    said = [
        "A married man went home.",
        "Unless he was married, he had to be selfish.",
        "The glacier is a slow river of ice.",
        "A selfish man walks on the glacier.",
        "The ice is old and cold.",
        "It was cold and selfish and wise.",
        "Every year the glacier gets shorter.",
        "They walk and they talk until night.",
    ]
    content, _ = await result(context, said, "en", "lecture_v1")
    assert {concept["name"] for concept in content["concepts"]} == {"glacier", "ice"}
    assert content["title"] == "Glacier, ice"


@pytest.mark.parametrize("language_code", ["de", "de-AT", ""])
@pytest.mark.parametrize("template_id", ["meeting_notes_v1", "lecture_v1"])
async def test_of_another_language_it_says_so_and_only_quotes(
    context: StageContext, language_code: str, template_id: str
) -> None:
    content, [warning] = await result(context, GERMAN, language_code, template_id)
    assert warning.reason == "LANGUAGE_NOT_SUMMARIZED"
    assert "only English and not de" in warning.message
    assert warning.metadata["languages"].startswith("de")
    assert not warning.HasField("range")
    assert content["title"] == ""
    for name in ("topics", "decisions", "action_items", "concepts", "assignments"):
        assert not content.get(name)
    assert "Der Server für die Zahlungen ist am Montag ausgefallen." in content["key_points"]
    assert set(content["key_points"]) <= set(GERMAN)
    assert "Was machen wir mit dem Server" in str(content["questions"])


@pytest.mark.parametrize("language_code", ["ja", "zh", "th", "ar", "vi"])
async def test_any_script_is_ranked(context: StageContext, language_code: str) -> None:
    said = {
        "ja": ["会議は金曜日です。", "会議は延期されました。", "パンは高いです。"],
        "zh": ["会议在星期五。", "会议推迟了。", "面包很贵。"],
        "th": ["การประชุมในวันศุกร์ ", "เลื่อนการประชุม ", "ขนมปังแพง "],
        "ar": ["الاجتماع يوم الجمعة.", "تأجل الاجتماع أمس.", "الخبز غال."],
        "vi": ["Cuộc họp vào thứ Sáu.", "Cuộc họp bị hoãn.", "Bánh mì đắt."],
    }[language_code]
    content, [warning] = await result(context, said * 2, language_code, "meeting_notes_v1")
    assert warning.reason == "LANGUAGE_NOT_SUMMARIZED"
    assert content["key_points"]
    assert content["title"] == ""


async def test_one_part_in_another_language_is_named_and_the_others_are_read(
    context: StageContext,
) -> None:
    parts = []
    async with open_stage(SummarySettings(), context.blobs) as stage:
        for at, (said, language_code) in enumerate(((TALK, "en"), (GERMAN, "de"), ([], "fr"))):
            spoken = transcript(said, at)
            spoken.language_code = language_code
            stored = await context.blobs.put_message("in", spoken)
            mapped = await ask(stage, context, request(map=stored))
            assert not mapped.warnings
            parts.append(await context.blobs.put_message("parts", mapped))
        filled = await ask(stage, context, request(reduce=summary.ReduceSource(parts=parts)))
    content = json_format.MessageToDict(filled.summary.content)
    assert content["title"] == "Payment server"
    assert len(content["decisions"]) == 2
    [warning] = filled.warnings
    assert "not de:" in warning.message
