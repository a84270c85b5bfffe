"""Every format shows who speaks, by the name that people gave, and no name acts as markup."""

from __future__ import annotations

import io
from collections.abc import Callable

import docx
import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from maie.diarization.v1 import diarization_pb2 as diarization
from maie.job.v1 import job_pb2 as job
from maie_core.durations import duration
from maie_formats.cues import NAME_COLUMNS, mark
from maie_formats.writers import WRITERS, Finished, written

pytestmark = pytest.mark.unit

HOSTILE = "=A<b>&*x*\n\n00:01 --> 00:02 {\\an8}`#[l](u)"
# As it is seen: on one line.
SEEN = "=A<b>&*x* 00:01 --> 00:02 {\\an8}`#[l](u)"


def finished(**named: str) -> Finished:
    """Two people who talk in turn, the first of them twice; with the names of some of them."""
    made = job.JobResults(
        speakers=[
            diarization.Speaker(speaker=each, name=named.get(each, "")) for each in ("S1", "S2")
        ]
    )
    said = ((0, 2, "Hello.", "S1"), (2, 4, "How are you?", "S1"), (4, 6, "Fine.", "S2"))
    for start, end, text, speaker in (*said, (6.25, 8, "Good.", "S1")):
        segment = made.segments.add(text=text, speaker=speaker)
        segment.start_offset.CopyFrom(duration(start))
        segment.end_offset.CopyFrom(duration(end))
    return Finished(job=job.Job(results=made), name="a talk.wav")


def text_of(format_: str, **named: str) -> str:
    return WRITERS[format_](finished(**named))


def of_word(**named: str) -> list[list[tuple[str, bool | None]]]:
    document = docx.Document(io.BytesIO(written(finished(**named), "docx")))
    return [[(run.text, run.bold) for run in each.runs] for each in document.paragraphs]


def of_pdf(**named: str) -> str:
    page = pypdfium2.PdfDocument(written(finished(**named), "pdf"))[0]
    return " ".join(page.get_textpage().get_text_bounded().split())


def test_text_has_a_paragraph_for_each_turn() -> None:
    assert text_of("txt", S1="Anna") == (
        "Anna: Hello. How are you?\n\nSpeaker 2: Fine.\n\nAnna: Good.\n"
    )


def test_subtitles_have_the_speaker_of_each_cue() -> None:
    assert "\nAnna: Hello.\n" in text_of("srt", S1="Anna")
    assert "\nSpeaker 2: Fine.\n" in text_of("srt", S1="Anna")
    assert "\n<v Anna>Hello.\n" in text_of("vtt", S1="Anna")
    assert "\n<v Speaker 2>Fine.\n" in text_of("vtt", S1="Anna")


def test_a_table_has_the_speaker_of_each_row() -> None:
    rows = [row.split("\t") for row in text_of("tsv", S1="Anna").splitlines()]
    assert rows[1] == ["0", "2000", "Hello.", "Anna"]
    assert rows[3] == ["4000", "6000", "Fine.", "Speaker 2"]


def test_documents_have_the_speaker_in_bold() -> None:
    assert text_of("md", S1="Anna").endswith(
        "**Anna:** Hello. How are you?\n\n**Speaker 2:** Fine.\n\n**Anna:** Good.\n"
    )
    assert of_word(S1="Anna")[-2:] == [
        [("Speaker 2: ", True), ("Fine.", None)],
        [("Anna: ", True), ("Good.", None)],
    ]
    assert "Anna: Hello. How are you? Speaker 2: Fine. Anna: Good." in of_pdf(S1="Anna")


def test_a_moment_of_a_summary_has_its_speaker() -> None:
    one = finished(S1="Anna")
    filled = one.job.results.summary
    filled.content.update({"decisions": ["Go."], "points": ["Wait."]})
    for pointer, speakers in (("/decisions/0", ["S1", "S2"]), ("/points/0", [])):
        cited = filled.citations.add(pointer=pointer, speakers=speakers)
        for second in (35, 65):
            cited.ranges.add().start_offset.seconds = second
    text = WRITERS["md"](one)
    assert "- Go. \\[00:35 Anna\\] \\[01:05 Speaker 2\\]\n" in text
    assert "- Wait. \\[00:35\\] \\[01:05\\]\n" in text


def test_documents_list_the_shares_of_the_speech() -> None:
    one = finished(S1="Anna")
    for speaker, spoken in zip(one.job.results.speakers, (60, 40), strict=True):
        speaker.speech_duration.seconds = spoken
    assert "## Speakers\n\n- Anna (60%)\n- Speaker 2 (40%)\n\n## Transcript" in WRITERS["md"](one)


def test_a_speaker_with_a_channel_and_no_name_is_called_by_the_channel() -> None:
    one = finished(S2="Ben")
    for speaker, channel in zip(one.job.results.speakers, (2, 1), strict=True):
        speaker.channel = channel
    assert WRITERS["txt"](one).startswith("Channel 2: Hello. How are you?\n\nBen: Fine.")


def test_two_speakers_of_one_name_are_one_person() -> None:
    assert text_of("txt", S1="Anna", S2="Anna") == "Anna: Hello. How are you? Fine. Good.\n"


def test_a_name_that_nobody_can_see_is_no_name() -> None:
    assert text_of("txt", S1="\u202e\x00 ").startswith("Speaker 1: Hello.")


def test_a_long_name_leaves_room_for_the_text_of_a_subtitle() -> None:
    name = "Hubert Wolfeschlegelsteinhausen"
    assert "\nHubert Wolfeschlege…: Hello.\n" in text_of("srt", S1=name)
    assert f"\n<v {name}>Hello.\n" in text_of("vtt", S1=name)
    assert mark("会" * 11) == f"{'会' * 9}…: "
    assert mark("x" * NAME_COLUMNS) == f"{'x' * NAME_COLUMNS}: "


def test_a_hostile_name_is_shown_as_it_is() -> None:
    vtt = text_of("vtt", S1=HOSTILE)
    assert f"\n<v {SEEN.replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;')}>" in vtt
    assert vtt.count("-->") == 4
    srt = text_of("srt", S1=HOSTILE)
    assert srt.count("-->") == 4
    assert "\n=A‹b›&*x* 00:01 --›…: Hello.\n" in srt
    assert f"\t'{SEEN}\n" in text_of("tsv", S1=HOSTILE)
    assert of_word(S1=HOSTILE)[-1] == [(f"{SEEN}: ", True), ("Good.", None)]
    assert f"{SEEN}: Good." in of_pdf(S1=HOSTILE)


NAMES: st.SearchStrategy[str] = st.one_of(
    st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=20),
    st.sampled_from([SEEN, "**", "1.", "\\", "- x", "a*", "<!--"]),
)


@given(NAMES)
def test_markdown_shows_any_name_in_bold(name: str) -> None:
    tokens = MarkdownIt("commonmark").parse(text_of("md", S1=name))
    children = tokens[-2].children or []
    kinds = [each.type for each in children if each.type not in ("text", "text_special")]
    assert kinds == ["strong_open", "strong_close"]
    assert "".join(each.content for each in children) == f"{name}: Good."


def speakers_with_turns(one: Finished) -> None:
    one.job.results.speakers[1].channel = 2
    for speaker, start, end in (("S1", 0, 4.5), ("S2", 4, 6)):
        turn = one.job.results.speaker_turns.add(speaker=speaker)
        turn.range.start_offset.CopyFrom(duration(start))
        turn.range.end_offset.CopyFrom(duration(end))


def segments_alone(_: Finished) -> None:
    """A summary of a corrected transcript has no turns."""


@pytest.mark.parametrize(
    ("prepare", "expected"),
    [
        (speakers_with_turns, [("1", "0.000", "4.500", "S1"), ("2", "4.000", "2.000", "S2")]),
        (
            segments_alone,
            [
                ("1", "0.000", "2.000", "S1"),
                ("1", "2.000", "2.000", "S1"),
                ("1", "4.000", "2.000", "S2"),
                ("1", "6.250", "1.750", "S1"),
            ],
        ),
    ],
)
def test_rttm_has_the_turns(
    prepare: Callable[[Finished], None], expected: list[tuple[str, str, str, str]]
) -> None:
    one = finished(S1="Anna Karenina")
    prepare(one)
    assert WRITERS["rttm"](one) == "".join(
        f"SPEAKER a_talk {channel} {start} {length} <NA> <NA> {speaker} <NA> <NA>\n"
        for channel, start, length, speaker in expected
    )


@pytest.mark.parametrize(
    ("name", "file"),
    [("Q3 – plan v1.2", "Q3_–_plan_v1.2"), ("\nA \u202eB.wav", "A_B"), (" \x00", "recording")],
)
def test_rttm_names_the_recording_without_spaces(name: str, file: str) -> None:
    one = finished()
    text = WRITERS["rttm"](Finished(job=one.job, name=name))
    assert {line.split(" ")[1] for line in text.splitlines()} == {file}
    assert {len(line.split(" ")) for line in text.splitlines()} == {10}
