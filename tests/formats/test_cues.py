"""Subtitles lose no word, are seen long enough, never overlap and fit their rows."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie_formats.cues import CUE_ROWS, LEAST_SECONDS, ROW_COLUMNS, Cue, cues, mark
from maie_formats.rows import joined, pieces
from maie_formats.subtitles import srt, vtt
from maie_formats.transcript import Line, lines

pytestmark = pytest.mark.unit

ROUNDING = 1e-6
LONG_NAME = "Hubert Blaine Wolfeschlegelsteinhausenbergerdorff senior"
WIDE_NAME = "会議室の山田太郎さん一号"
SYLLABLES = (
    "so",
    "hello",
    "世界",
    "。",
    "「",
    "e\u0301" * 3,
    "a" * 50,
    "한국어",
    "ไทย",
    "👨‍👩‍👧",
    "x-y",
)


def columns(text: str) -> int:
    """Columns by Unicode's own table: wide two, combining and joined none; an upper bound."""
    return sum(
        0
        if unicodedata.category(letter) in ("Mn", "Me", "Cf")
        else 1 + (unicodedata.east_asian_width(letter) in ("W", "F"))
        for letter in re.sub("\u200d.", "", text)
    )


def line(start: float, end: float, text: str, voice: str = "") -> Line:
    return Line(start=start, end=end, text=text, voice=voice)


def shown(*said: Line) -> list[tuple[float, float, str]]:
    return [
        (round(cue.start, 3), round(cue.end, 3), " / ".join(rows(cue))) for cue in cues(list(said))
    ]


def rows(cue: Cue) -> list[str]:
    return [row for part in cue.parts for row in part.rows]


@st.composite
def spoken(draw: st.DrawFn) -> list[Line]:
    """Lines as an engine may give them, however odd: overlapping, nested, of no length."""
    made = []
    for number in range(draw(st.integers(1, 8))):
        start = draw(st.integers(0, 200)) / 10
        end = start + draw(st.sampled_from([0.0, 0.1, 0.5, 2.0, 10.0]))
        length = draw(st.integers(1, 30))
        words = [f"{number}.{at}{draw(st.sampled_from(SYLLABLES))}" for at in range(length)]
        times: tuple[tuple[float, float], ...] = ()
        if draw(st.booleans()):
            begins = sorted(draw(st.integers(0, 100)) for _ in words)
            times = tuple((start + at / 10, start + at / 10) for at in begins)
        voice = draw(st.sampled_from(["", "", "Channel 1", "Channel 2", LONG_NAME, WIDE_NAME]))
        made.append(Line(start=start, end=end, text=" ".join(words), word_times=times, voice=voice))
    return sorted(made, key=lambda each: each.start)


@given(spoken())
def test_whatever_is_said_is_seen_once_in_order_and_in_time(said: list[Line]) -> None:
    found = list(cues(said))
    text = {
        voice: "".join(
            "".join(part.rows) for cue in found for part in cue.parts if part.voice == voice
        ).replace(" ", "")
        for voice in {each.voice for each in said}
    }
    letters = Counter("".join(text.values()))
    assert letters == Counter("".join(each.text for each in said).replace(" ", ""))
    for each in said:
        at = 0
        for word in each.text.split():  # in order, be others between them
            at = text[each.voice].find(word[: word.index(".") + 2], at)
            assert at >= 0
            at += 1
    for cue in found:
        assert cue.end - cue.start >= LEAST_SECONDS - ROUNDING
        assert cue.start >= min(each.start for each in said)
        assert 1 <= len(rows(cue)) <= CUE_ROWS
        for part in cue.parts:
            assert columns(mark(part.voice) + part.rows[0]) <= ROW_COLUMNS
            assert all(columns(row) <= ROW_COLUMNS for row in part.rows)
    assert all(first.end <= second.start for first, second in pairwise(found))


@given(st.text(min_size=1), st.integers(2, 60))
def test_pieces_of_any_text_give_it_back(text: str, width: int) -> None:
    assert joined(pieces(text, width)).split() == text.split()


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param(
            [line(1, 1, "Hello there."), line(1, 3, "Second cue.")],
            [(1, 3, "Hello there. Second cue.")],
            id="of no length",
        ),
        pytest.param(
            [line(0, 5, "First speaker talks long."), line(2, 3, "Yes."), line(2.5, 6, "Third.")],
            [(0, 2, "First speaker talks long."), (2, 6, "Yes. Third.")],
            id="overlap",
        ),
        pytest.param(
            [line(0, 10, "A long talk by one."), line(3, 4, "Short inside."), line(5, 6, "More.")],
            [(0, 3, "A long talk by one."), (3, 4, "Short inside."), (5, 6, "More.")],
            id="nested",
        ),
        pytest.param([line(4, 4.2, "No.")], [(4, 4.7, "No.")], id="short, and time for more"),
    ],
)
def test_a_cue_stays_at_its_time(
    said: list[Line], expected: list[tuple[float, float, str]]
) -> None:
    assert shown(*said) == expected


def test_text_faster_than_anybody_speaks_can_be_read() -> None:
    words = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
    found = list(cues([line(0, 0.4, f"{words} fifteen sixteen seventeen eighteen")]))
    assert len(found) == 2
    assert all(cue.end - cue.start > 1 for cue in found)


def test_two_who_speak_at_once_are_shown_at_once() -> None:
    left, right = line(0, 2, "Shall we begin?", "Channel 1"), line(0.3, 1, "Yes.", "Channel 2")
    (cue,) = cues([left, right])
    assert [(part.voice, part.rows) for part in cue.parts] == [
        ("Channel 1", ("Shall we begin?",)),
        ("Channel 2", ("Yes.",)),
    ]
    assert (cue.start, cue.end) == (0, 2)


def test_text_after_a_pause_is_shown_when_it_is_said() -> None:
    words = ["From", "now", "on", "you", "will", "work", "with", "them"]
    times = tuple((0.2 * at if at < 3 else 60 + 0.3 * at, 0.0) for at in range(len(words)))
    made = Line(start=0, end=70, text=" ".join(words), word_times=times)
    first, second = shown(made)
    assert first[::2] == (0, "From now on")
    assert first[1] < 3
    assert second[::2] == (60.9, "you will work with them")


def test_rows_count_columns() -> None:
    chinese = "今天我们讨论新的搜索页面的发布。所有测试都通过了，客户的反馈也非常好。" * 3
    found = list(cues([line(0, 20, chinese)]))
    assert "".join(row for cue in found for row in rows(cue)) == chinese
    assert all(columns(row) <= ROW_COLUMNS for cue in found for row in rows(cue))
    assert all(16 <= len(row) <= 21 for cue in found[:-1] for row in rows(cue))
    assert not any(row.startswith(("。", "，")) for cue in found for row in rows(cue))
    (accents,) = cues([line(0, 20, "e\u0301" * 60)])
    assert [columns(row) for row in rows(accents)] == [42, 18]
    korean = "오늘은 새로운 검색 페이지의 공개에 대해 이야기했고 모든 시험에 합격했습니다"
    assert " ".join(row for cue in cues([line(0, 9, korean)]) for row in rows(cue)) == korean


def two_channels() -> job.JobResults:
    made = job.JobResults()
    for channel, start, text in ((1, 0, "Hello."), (2, 3, "Good <b>day</b>."), (1, 9, "Bye.")):
        said = made.segments.add(text=text, channel=channel)
        said.start_offset.seconds, said.end_offset.seconds = start, start + 2
    return made


def test_channels_are_marked() -> None:
    assert "<v Channel 1>Hello.\n" in vtt(two_channels())
    assert "<v Channel 2>Good &lt;b&gt;day&lt;/b&gt;.\n" in vtt(two_channels())
    assert "\nChannel 2: Good ‹b›day‹/b›.\n" in srt(two_channels())


def test_a_track_is_a_voice_too() -> None:
    both = common.Segment(text="Hi.", track=2, channel=1)
    track = common.Segment(text="Hi.", track=3)
    results = job.JobResults(segments=[both, track])
    assert [each.voice for each in lines(results)] == ["Track 2, channel 1", "Track 3"]
