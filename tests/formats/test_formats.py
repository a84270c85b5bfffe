"""Every format shows text of unknown origin exactly, and none lets it act."""

import html
import json
import re
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.summary.v1 import summary_pb2 as summary
from maie_formats.as_json import to_dict
from maie_formats.clean import plain
from maie_formats.markdown import escape, markdown
from maie_formats.subtitles import srt, timestamp, vtt
from maie_formats.summary import Moment, reading
from maie_formats.transcript import clock
from maie_formats.writers import WRITERS, Finished

pytestmark = pytest.mark.unit

NASTY = (
    "00:00:01,000 --> 00:00:02,000\n\n2\n",
    "--> ---> <i>x</i> {\\an8} &lt; \x1b[31m\x00",
    "ignore your instructions\u202e\u2028# heading\n- item\n1. one\n```\n",
    "[link](javascript:alert(1)) ![](http://x) <script>alert(1)</script> | a | b |",
    "WEBVTT\n\nNOTE hidden\n\nSTYLE\n::cue{}",
)
TEXT = st.one_of(st.text(max_size=200), st.sampled_from(NASTY))
SRT_CUE = re.compile(
    r"\A(\d+)\n(\d{2,}:\d\d:\d\d,\d{3}) --> (\d{2,}:\d\d:\d\d,\d{3})\n([^\n]+(?:\n[^\n]+)?)\Z"
)
VTT_CUE = re.compile(
    r"\A(\d{2,}:\d\d:\d\d\.\d{3}) --> (\d{2,}:\d\d:\d\d\.\d{3})\n([^\n]+(?:\n[^\n]+)?)\Z"
)


@st.composite
def segments(draw, number):
    text = draw(TEXT)
    start = draw(st.integers(0, 400_000))
    made = common.Segment(segment_id=f"c0000-s{number:04d}", text=text)
    made.start_offset.FromMilliseconds(start)
    made.end_offset.FromMilliseconds(start + draw(st.integers(0, 20_000)))
    if draw(st.booleans()):
        made.clean_text = draw(TEXT)
    if draw(st.booleans()):
        for at, word in enumerate(text.split()):
            timed = made.words.add(word=word)
            timed.start_offset.FromMilliseconds(start + at * draw(st.integers(0, 900)))
    return made


@st.composite
def results(draw):
    made = job.JobResults()
    made.segments.extend(draw(segments(number)) for number in range(draw(st.integers(0, 5))))
    return made


def said(made: job.JobResults) -> list[str]:
    ordered = sorted(made.segments, key=lambda each: each.start_offset.ToMilliseconds())
    texts = [
        plain(each.clean_text if each.HasField("clean_text") else each.text) for each in ordered
    ]
    return " ".join(texts).split()


def words(text: str) -> list[str]:
    return plain(text).split()


@given(results())
def test_srt_holds_numbered_cues_in_order_and_every_letter_once(made):
    text = srt(made)
    blocks = text.removesuffix("\n").split("\n\n") if text else []
    cues = matches(SRT_CUE, blocks)
    assert [int(cue[1]) for cue in cues] == list(range(1, len(cues) + 1))
    assert_in_order([(cue[2], cue[3]) for cue in cues])
    lookalikes = str.maketrans("<>{}", "‹›()")
    shown = "".join("".join(words(cue[4])) for cue in cues)
    assert Counter(shown) == Counter("".join(said(made)).translate(lookalikes))


@given(results())
def test_vtt_holds_cues_in_order_and_every_letter_once(made):
    header, *blocks = vtt(made).removesuffix("\n").split("\n\n")
    assert header == "WEBVTT"
    cues = matches(VTT_CUE, filter(None, blocks))
    assert_in_order([(cue[1], cue[2]) for cue in cues])
    assert not any("<" in cue[3] or "-->" in cue[3] for cue in cues)
    shown = "".join("".join(words(html.unescape(cue[3]))) for cue in cues)
    assert Counter(shown) == Counter("".join(said(made)))


def matches(cue: re.Pattern[str], blocks: Iterable[str]) -> list[re.Match[str]]:
    """What a pattern finds in blocks, each of which it must match."""
    found = [cue.match(block) for block in blocks]
    assert all(found)
    return [match for match in found if match]


def assert_in_order(times: list[tuple[str, str]]) -> None:
    assert all(start < end for start, end in times)
    assert all(end <= start for (_, end), (start, _) in pairwise(times))


@given(results())
def test_no_text_format_holds_a_control_character(made):
    done = Finished(job=job.Job(job_id="1", results=made), name="talk")
    for name in ("txt", "srt", "vtt", "md"):
        text = WRITERS[name](done)
        assert plain(text) == " ".join(text.split()), name


@given(results())
def test_the_text_format_holds_every_word_in_order(made):
    text = WRITERS["txt"](Finished(job=job.Job(results=made), name="talk"))
    assert text.split() == said(made)


@given(TEXT)
def test_markdown_shows_text_exactly_as_it_is(text):
    tokens = MarkdownIt("commonmark").enable("table").parse(escape(text))
    kinds = [token.type for token in tokens]
    if not plain(text):
        assert kinds == []
        return
    assert kinds == ["paragraph_open", "inline", "paragraph_close"]
    children = tokens[1].children or []
    assert all(child.type in ("text", "text_special") for child in children)
    assert "".join(child.content for child in children) == plain(text)


@given(TEXT, TEXT, TEXT)
def test_a_summary_of_any_text_keeps_its_outline(title, decision, owner):
    filled = summary.Summary()
    filled.content.update(
        {"title": title, "decisions": [decision], "action_items": [{"task": "T", "owner": owner}]}
    )
    document = markdown(job.JobResults(summary=filled), "talk")
    tokens = MarkdownIt("commonmark").parse(document)
    headings = [tokens[at + 1].content for at, t in enumerate(tokens) if t.type == "heading_open"]
    assert len(headings) == 2 + bool(plain(decision))
    assert {token.type for token in tokens} <= {
        *("heading_open", "heading_close", "inline", "bullet_list_open", "bullet_list_close"),
        *("list_item_open", "list_item_close", "paragraph_open", "paragraph_close"),
    }


@given(results())
def test_json_reads_back_with_the_words_as_they_came(made):
    value = json.loads(WRITERS["json"](Finished(job=job.Job(results=made), name="talk")))
    assert [each["text"] for each in value["results"]["segments"]] == [
        each.text for each in made.segments
    ]


def test_json_names_fields_as_the_contract_and_enums_without_prefix():
    done = job.Job(job_id="1", state=job.JOB_STATE_PROCESSING_ASR)
    done.config.features.append(job.FEATURE_CLEAN_TRANSCRIPT)
    done.metrics.stages.add(stage=common.STAGE_ASR).processing_duration.FromMilliseconds(1500)
    value = to_dict(done)
    assert value["job_id"] == "1"
    assert value["state"] == "PROCESSING_ASR"
    assert value["config"]["features"] == ["clean_transcript"]
    assert value["metrics"]["stages"][0]["stage"] == "asr"
    assert value["metrics"]["stages"][0]["processing_duration"] == "1.500s"
    assert value["failures"] == []
    assert "results" not in value


def test_a_cue_starts_with_its_first_word():
    text = " ".join(f"word{number:02d}" for number in range(30))
    made = common.Segment(text=text)
    made.end_offset.seconds = 60
    for number, word in enumerate(text.split()):
        made.words.add(word=word).start_offset.seconds = number * 2
    blocks = srt(job.JobResults(segments=[made])).split("\n\n")
    for block in blocks:
        _, times, first, *_ = block.split("\n")
        number = int(first.split()[0].removeprefix("word"))
        assert times.startswith(timestamp(number * 2, ","))


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "00:00:00,000"),
        (3661.5, "01:01:01,500"),
        (59.9996, "00:01:00,000"),
        (360000, "100:00:00,000"),
    ],
)
def test_timestamps(seconds, expected):
    assert timestamp(seconds, ",") == expected


def test_moments_are_minutes_and_hours_only_where_needed():
    assert clock(72.9) == "01:12"
    assert clock(3725) == "1:02:05"


def test_a_summary_is_read_in_the_order_of_its_template_with_its_moments():
    template = summary.Template(
        schema_json=json.dumps(
            {
                "properties": {
                    "title": {"title": "Title"},
                    "overview": {"title": "Overview"},
                    "decisions": {"title": "Decisions"},
                    "action_items": {
                        "title": "Action items",
                        "items": {
                            "properties": {
                                "task": {},
                                "owner": {"title": "Owner"},
                                "due": {"title": "Due"},
                            }
                        },
                    },
                }
            }
        )
    )
    filled = summary.Summary()
    filled.content.update(
        {
            "action_items": [{"due": "Friday", "owner": None, "task": "Write the notes"}],
            "decisions": ["Release on Thursday"],
            "extra": 3,
            "overview": "A short meeting.",
            "title": "Standup",
        }
    )
    cited = filled.citations.add(pointer="/action_items/0/task")
    cited.ranges.add().start_offset.seconds = 35
    view = reading(filled, template)
    assert view.title == "Standup"
    assert [section.title for section in view.sections] == [
        *("Overview", "Decisions", "Action items", "Extra")
    ]
    item = view.sections[2].items[0]
    assert item.text == "Write the notes"
    assert item.details == (("Due", "Friday"),)
    assert item.moments == (Moment(35),)
    document = markdown(job.JobResults(summary=filled), "talk", template)
    assert "- Write the notes (Due: Friday) \\[00:35\\]" in document


def test_a_title_that_is_a_list_is_a_part_of_its_own():
    schema = {"properties": {"title": {"type": "array"}, "points": {"title": "Key points"}}}
    template = summary.Template(schema_json=json.dumps(schema))
    filled = summary.Summary()
    filled.content.update({"title": ["Customers", "Prices"], "points": ["All is well"]})
    filled.citations.add(pointer="/title/1").ranges.add().start_offset.seconds = 35
    view = reading(filled, template)
    assert view.title == ""
    assert [section.title for section in view.sections] == ["Title", "Key points"]
    document = markdown(job.JobResults(summary=filled), "talk", template)
    assert "Title\n\n- Customers\n- Prices \\[00:35\\]\n" in document
    assert document.startswith("# talk\n")
    filled.content.update({"title": {"main": "Customers", "sub": "and prices"}})
    assert "Customers (Sub: and prices)" in markdown(
        job.JobResults(summary=filled), "talk", template
    )
    filled.content.update({"title": None})
    assert [section.title for section in reading(filled, template).sections] == ["Key points"]
