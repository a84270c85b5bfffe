"""A summary says what was said: no item without a word of its lines, none of an example."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
import structlog
from google.protobuf import json_format

from maie_core.errors import StageError
from maie_llm import Prompt
from maie_runtime.worker.stage import StageContext
from maie_summary.llm.cited import cited_answer, uncited
from maie_summary.llm.engine import LanguageModelEngine
from maie_summary.llm.prompt import Line
from maie_summary.llm.support import Support
from maie_summary.settings import SummarySettings
from maie_summary.stage import SummarizeStage
from maie_templates import Template, TemplateLibrary
from tests.models.meetings import random_meeting
from tests.scripted_model import ScriptedModel
from tests.summary.asking import ask, request, transcript
from tests.summary.points import answers, content

pytestmark = pytest.mark.unit

LIBRARY = TemplateLibrary()
INTERVIEW = LIBRARY.get("interview_v1")
BAKER = [
    "Welcome, today we talk with the baker from Mill Street.",
    "Thank you. I get up at two and the oven is hot at three.",
    "What do you sell most?",
    "Rye bread, by far. People say that it tastes like in their childhood.",
    "And I will bring you a loaf next week.",
]
NOTHING: dict[str, Any] = {
    "people": [],
    "topics": [],
    "questions": [],
    "quotes": [],
    "claims_to_check": [],
    "follow_ups": [],
}
TRUE = {
    **NOTHING,
    "title": {"text": "The baker from Mill Street", "lines": [1]},
    "abstract": {
        "text": "A baker tells how his day starts: the oven is hot at three.",
        "lines": [2],
    },
    "quotes": [{"quote": "I get up at two.", "speaker": None, "lines": [2]}],
}


def example_answer(template: Template) -> Any:
    [example] = template.examples
    return cited_answer(template.schema, example.answer, example.lines)


async def summarise(context: StageContext, model: ScriptedModel, said: list[str]) -> dict[str, Any]:
    stage = SummarizeStage(LanguageModelEngine(model, SummarySettings()), LIBRARY)
    asked = request(transcript=transcript(said))
    asked.template_id = INTERVIEW.template_id
    return json_format.MessageToDict((await ask(stage, context, asked)).summary.content)


def small_model(*tries: Any) -> ScriptedModel:
    return ScriptedModel(answers(*map(json.dumps, tries)), window=8000)


async def test_a_model_that_copies_the_example_is_asked_again_and_never_shown(
    context: StageContext,
) -> None:
    copied = example_answer(INTERVIEW)
    model = small_model(copied, copied, TRUE)
    filled = await summarise(context, model, BAKER)
    assert filled["title"] == "The baker from Mill Street"
    assert "Ortiz" not in json.dumps(filled)
    for name in ("title", "abstract"):
        told = f"$.{name} repeats the template's example, which nobody said"
        assert told in content(model.prompts[1])

    with pytest.raises(StageError) as caught:
        await summarise(context, small_model(copied, copied, copied), BAKER)
    assert caught.value.reason == "SUMMARY_INVALID"
    assert "example" in caught.value.message
    assert "Ortiz" not in caught.value.message


@pytest.mark.parametrize(
    "taken",
    [
        {"people": [{"name": "Lena Ortiz", "role": "A baker from Mill Street", "lines": [1]}]},
        {
            "quotes": [
                {
                    "quote": "A library that is closed on Sunday is closed when people have time.",
                    "speaker": None,
                    "lines": [4],
                }
            ]
        },
        {"claims_to_check": [{"text": "The oven is hot since March.", "lines": [2]}]},
        {"follow_ups": [{"task": "Bring a loaf", "owner": None, "due": "tomorrow", "lines": [5]}]},
        {"topics": [{"text": "Sunday opening", "lines": [1]}]},
    ],
    ids=["name", "quote", "month", "due", "topic"],
)
async def test_an_example_cannot_slip_into_a_true_answer(
    context: StageContext, taken: dict[str, Any]
) -> None:
    model = small_model({**TRUE, **taken}, TRUE)
    filled = await summarise(context, model, BAKER)
    [name] = taken
    assert filled[name] == [] or name == "quotes"
    assert f"$.{name}[0] repeats the template's example" in content(model.prompts[1])


async def test_what_an_example_says_may_be_said_in_the_recording_as_well(
    context: StageContext,
) -> None:
    said = list(INTERVIEW.examples[0].transcript)
    filled = await summarise(context, small_model(example_answer(INTERVIEW)), said)
    assert filled["people"][0]["name"] == "Lena Ortiz"


async def test_an_item_must_share_a_word_with_the_lines_that_it_cites(
    context: StageContext,
) -> None:
    quote = {"quote": "Rye bread tastes like childhood.", "speaker": None}
    wrong = {**TRUE, "quotes": [{**quote, "lines": [2, 3]}]}
    right = {**TRUE, "quotes": [{**quote, "lines": [3, 4]}]}
    model = small_model(wrong, right)
    filled = await summarise(context, model, BAKER)
    assert filled["quotes"] == [quote]
    assert "$.quotes[0] has no word of the lines that it cites" in content(model.prompts[1])
    assert "childhood" not in content(model.prompts[1]).rpartition("Your last answer")[2]


async def test_examples_are_marked_as_another_recordings(context: StageContext) -> None:
    model = small_model(TRUE)
    await summarise(context, model, BAKER)
    marked = content(model.prompts[0]).partition("<example>")[2].partition("</example>")[0]
    assert "another recording" in marked
    assert "must not be in your answer" in marked
    assert "Lena Ortiz" in marked
    assert "Lena Ortiz" not in content(model.prompts[0]).replace(marked, "")


@pytest.mark.parametrize("template", LIBRARY.templates(), ids=lambda each: each.template_id)
def test_the_examples_that_ship_say_what_was_said_in_them(template: Template) -> None:
    for example in template.examples:
        lines = tuple(Line(number=at, text=text) for at, text in enumerate(example.transcript, 1))
        _, citations = uncited(template.schema, example_answer(template))
        assert Support(template, lines, "en").problem(citations) == ""


SCHEMA: dict[str, Any] = {
    "title": "Notes",
    "description": "Short notes.",
    "type": "object",
    "properties": {
        "points": {
            "type": "array",
            "maxItems": 9,
            "items": {"type": "string", "maxLength": 200, "description": "A point."},
        },
        "mood": {"enum": ["cheerful", "gloomy", None]},
        "day": {"type": ["string", "null"], "format": "date", "maxLength": 10},
        "level": {"anyOf": [{"enum": ["high", "low"]}, {"type": "null"}]},
        "count": {"type": ["integer", "null"]},
    },
}
NOTES = Template.parse("notes", json.dumps(SCHEMA), "{{ examples }}{{ transcript }}")


def problem(said: list[str], language_code: str, *points: str, **others: Any) -> str:
    """What is found wrong with points that all cite the first line."""
    lines = tuple(Line(number=at, text=text) for at, text in enumerate(said, 1))
    answer = {
        "points": [{"text": text, "lines": [1]} for text in points],
        **{name: {"text": value, "lines": [1]} for name, value in others.items()},
    }
    _, citations = uncited(NOTES.schema, answer)
    return Support(NOTES, lines, language_code).problem(citations)


@pytest.mark.parametrize(
    ("language_code", "said", "true", "invented"),
    [
        (
            "en-US",
            "We decided to move the release to Friday.",
            "The decision: the release moves.",
            "The library is closed on Sunday.",
        ),
        (
            "de",
            "Wir haben beschlossen, die Stadtbibliothek am Sonntag zu öffnen.",
            "Die Bibliothek öffnet.",
            "Die Rechnung wird am Freitag verschickt.",
        ),
        (
            "fr",
            "Nous avons décidé de reporter la réunion à vendredi.",
            "La réunion est reportée.",
            "Le boulanger fait du pain.",
        ),
        (
            "ru",
            "Мы решили перенести встречу на пятницу.",
            "Встреча перенесена.",
            "Пекарь продаёт хлеб.",
        ),
        ("tr", "Toplantıyı cuma gününe erteledik.", "Toplantı ertelendi.", "Ekmek pahalı oldu."),
        ("ar", "قررنا تأجيل الاجتماع إلى يوم الجمعة.", "تأجيل اجتماع", "الخباز يبيع الخبز."),
        ("hi", "हमने बैठक को शुक्रवार तक टाल दिया।", "बैठक शुक्रवार को होगी", "रोटी महंगी हो गई।"),
        ("vi", "Chúng tôi dời cuộc họp sang thứ Sáu.", "Cuộc họp dời lại", "Bánh mì rất đắt."),
        ("ja", "会議は金曜日に延期されました。", "会議を延期した。", "図書館が閉まっている。"),
        ("zh", "我们决定把会议推迟到星期五。", "会议推迟", "面包师傅卖面包。"),
        ("ko", "회의를 금요일로 연기하기로 했습니다.", "회의는 연기됨", "빵집에서 빵을 판다."),
        ("th", "เราตัดสินใจเลื่อนการประชุมไปวันศุกร์", "เลื่อนการประชุม", "ห้องสมุดปิด"),
        # Of Quechua no stop words are known.
        ("qu", "Qayna p'unchaw hatun wasiman rirqani.", "Hatun wasi", "Manam yachanichu"),
    ],
)
def test_words_are_compared_in_any_language_and_script(
    language_code: str, said: str, true: str, invented: str
) -> None:
    for known in (language_code, ""):
        assert problem([said], known, true) == ""
        assert problem([said], known, true, invented) == (
            "$.points[1] has no word of the lines that it cites"
        )


def test_small_words_are_no_evidence_and_no_reason_to_refuse() -> None:
    said = ["The oven is hot at three in the morning."]
    assert problem(said, "en", "It was the best of the year in the city.") != ""
    assert problem(said, "en", "And so it is.") == ""


def test_choices_numbers_and_dates_of_the_calendar_are_not_compared() -> None:
    said = ["The release comes on the first of December."]
    assert problem(said, "en", mood="gloomy", level="low", day="2026-12-01", count=3) == ""
    assert problem(["It costs nine hundred."], "en", "900") == ""
    assert problem(["It costs 800."], "en", "900") != ""


GERMAN = [
    "Guten Morgen, ich bin der Bäcker aus der Mühlenstraße.",
    "Der Ofen ist um drei Uhr heiß, und das Brot kommt um fünf aus dem Ofen.",
    "Die Leute sagen, es schmeckt wie in ihrer Kindheit.",
]


def test_of_an_answer_in_another_language_only_copies_are_found() -> None:
    points = ["The oven gets hot early in the morning.", "Customers say that it tastes of youth."]
    with structlog.testing.capture_logs() as logs:
        assert problem(GERMAN, "de", *points) == ""
    assert {"spoken": "de", "answered": "en"}.items() <= logs[0].items()
    lines = tuple(Line(number=at, text=text) for at, text in enumerate(GERMAN, 1))
    _, citations = uncited(INTERVIEW.schema, example_answer(INTERVIEW))
    assert "repeats the template's example" in Support(INTERVIEW, lines, "de").problem(citations)
    assert "no word of the lines" in problem(GERMAN, "de", "Die Rechnung wurde gestern verschickt.")


async def test_an_answer_for_several_parts_is_compared_with_the_lines_of_all(
    context: StageContext,
) -> None:
    """The merge cites lines that its own prompt does not show."""
    merged: list[str] = []

    def invents(prompt: Prompt) -> str:
        text = content(prompt)
        if "one JSON object a line" not in text:
            number = text.split("<transcript>\n[")[1].split("]")[0]
            return json.dumps(
                {**NOTHING, **{name: {"text": "", "lines": [int(number)]} for name in SINGLE}}
                | {"topics": [{"text": f"Point {number}", "lines": [int(number)]}]}
            )
        merged.append(text)
        topic = "Gardening tools" if len(merged) == 1 else "Point"
        number = text.rpartition('"topics":[{"text":"Point ')[2].split('"')[0]
        return json.dumps(
            {**NOTHING, **{name: {"text": "", "lines": [int(number)]} for name in SINGLE}}
            | {"topics": [{"text": topic, "lines": [int(number)]}]}
        )

    said = [
        f"Point {at} of the list is the longest that we have had until today." for at in range(300)
    ]
    model = ScriptedModel(invents, window=4000)
    filled = await summarise(context, model, said)
    assert [topic[:5] for topic in filled["topics"]] == ["Point"]
    assert any("has no word of the lines" in text for text in merged)


SINGLE = ("title", "abstract")


def test_summaries_of_meetings_as_a_model_is_trained_on_them_are_all_supported() -> None:
    notes = LIBRARY.get("meeting_notes_v1")
    for seed in range(60):
        meeting = random_meeting(Random(seed), 5)
        lines = tuple(Line(number=at, text=text) for at, text in enumerate(meeting.texts(), 1))
        _, citations = uncited(notes.schema, meeting.cited())
        assert Support(notes, lines, "en").problem(citations) == ""
