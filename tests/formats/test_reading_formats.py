"""The formats of a reading that programs read: a TextGrid, CTM and JSON; and Markdown."""

from __future__ import annotations

import itertools
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maie.alignment.v1 import alignment_pb2 as alignment
from maie_formats.from_json import from_dict
from maie_formats.readings.report import ReadingReport, pieces
from maie_formats.readings.writers import READING_WRITERS
from tests.formats.readings import TEXT, reading, word

pytestmark = pytest.mark.unit

Interval = tuple[float, float, str]
_NUMBER = r"(\d+(?:\.\d+)?)"
_INTERVAL = re.compile(
    rf"\s+intervals \[(\d+)\]:\n\s+xmin = {_NUMBER}\n\s+xmax = {_NUMBER}\n"
    r'\s+text = "((?:[^"\n]|"")*)"\n'
)
_TIER = re.compile(
    rf'\s+item \[(\d+)\]:\n\s+class = "IntervalTier"\n\s+name = "(\w+)"\n'
    rf"\s+xmin = 0\n\s+xmax = {_NUMBER}\n\s+intervals: size = (\d+)\n"
)
_HEAD = re.compile(
    rf'File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0\nxmax = {_NUMBER}\n'
    r"tiers\? <exists>\nsize = (\d+)\nitem \[\]:\n"
)


def parsed(grid: str) -> tuple[float, dict[str, list[Interval]]]:
    """The length and the tiers of a grid. Fails at whatever Praat would not read."""
    head = _HEAD.match(grid)
    assert head
    place, tiers = head.end(), dict[str, list[Interval]]()
    for number in range(1, int(head[2]) + 1):
        tier = _TIER.match(grid, place)
        assert tier
        assert (int(tier[1]), tier[3]) == (number, head[1])
        place = tier.end()
        intervals = tiers[tier[2]] = []
        for count in range(1, int(tier[4]) + 1):
            found = _INTERVAL.match(grid, place)
            assert found
            assert int(found[1]) == count
            intervals.append((float(found[2]), float(found[3]), found[4].replace('""', '"')))
            place = found.end()
    assert place == len(grid)
    return float(head[1]), tiers


def written(format_: str, **of: object) -> str:
    """The reading in a format."""
    given = {"reading": reading(), "name": "My talk.wav", "text": TEXT, "seconds": 5.0} | of
    return READING_WRITERS[format_](ReadingReport(**given))  # type: ignore[arg-type]


def is_complete(intervals: list[Interval], end: float) -> bool:
    """Whether intervals cover everything, each with a length."""
    edges = [0.0, *(edge for start, stop, _ in intervals for edge in (start, stop)), end]
    whole = all(first == second for first, second in zip(edges[::2], edges[1::2], strict=True))
    return whole and all(start < stop for start, stop, _ in intervals)


def test_a_grid_has_the_spoken_words_sounds_and_letters():
    end, tiers = parsed(written("TextGrid"))
    assert end == 5
    assert list(tiers) == ["words", "phones", "letters"]
    assert all(is_complete(tier, 5) for tier in tiers.values())
    assert [label for _, _, label in tiers["words"]] == [
        *("", "um", "", "Once", "", "up on", "up", "", "b>time</b", '"old"', "he", "said", ""),
    ]
    assert tiers["words"][3] == (0.5, 1.0, "Once")
    assert "".join(label for _, _, label in tiers["letters"]).startswith("umOnceuponup")


TIMES = st.floats(0, 20, allow_nan=False)


@given(
    st.lists(st.tuples(TIMES, TIMES, st.text(min_size=1)), max_size=8),
    st.floats(0, 15, allow_nan=False),
)
def test_a_grid_is_complete_whatever_the_times_are(found, length):
    words = [
        word(text, times=(min(start, end), max(start, end)), parts=False)
        for start, end, text in found
    ]
    grid = written("TextGrid", reading=alignment.Reading(words=words), text="", seconds=length)
    end, tiers = parsed(grid.encode(errors="replace").decode())
    assert end > 0
    assert all(is_complete(tier, end) for tier in tiers.values())


def test_letters_of_one_time_are_one_interval():
    sigh = word("sigh", times=(1.0, 2.0))
    sigh.letters[3].range.CopyFrom(sigh.letters[2].range)
    _, tiers = parsed(written("TextGrid", reading=alignment.Reading(words=[sigh])))
    assert [label for _, _, label in tiers["letters"] if label] == ["s", "i", "gh"]


def test_ctm_has_each_spoken_word_with_time_and_confidence():
    assert written("ctm").splitlines() == [
        "My_talk 1 0.200 0.100 um",
        "My_talk 1 0.500 0.500 Once 0.900",
        "My_talk 1 1.200 0.200 up 0.800",
        "My_talk 1 1.400 0.200 on 0.800",
        "My_talk 1 1.600 0.200 up 0.700",
        "My_talk 1 2.500 0.500 b>time</b 0.200",
        'My_talk 1 3.000 0.200 "old"',
        "My_talk 1 3.200 0.200 he 0.900",
        "My_talk 1 3.400 0.600 said 0.900",
    ]
    assert written("ctm", reading=alignment.Reading()) == ""


def test_json_is_the_contract_s_reading():
    values = json.loads(written("json"))
    assert values["words"][2]["outcome"] == "WRONG"
    assert from_dict(values, alignment.Reading()) == reading()


def test_markdown_has_the_text_with_its_marks():
    made = written("md")
    assert "| words correct | 5 of 7 (71.4%) |" in made
    assert (
        '*~um* "Once, **upon** *↻up* ‖0.7 s‖ ~~a~~ \\<b\\>time\\</b(?)\\>", *+"old"* he said.\n\n'
        "[The] [end].\n"
    ) in made
    assert "\n| 00:01 | upon | another word was read | up on | 0" in made


@pytest.mark.parametrize("text", ["", "A text of somebody else's."])
def test_words_are_shown_without_the_text_that_they_are_of(text):
    shown = "".join(
        piece if isinstance(piece, str) else piece.text
        for piece in pieces(ReadingReport(reading=reading(), name="", text=text))
        if not isinstance(piece, alignment.Pause)
    )
    assert shown.split() == [each.text for each in reading().words]


def test_all_of_the_text_is_shown():
    shown = ""
    for piece in pieces(ReadingReport(reading=reading(), name="", text=TEXT)):
        if isinstance(piece, str):
            shown += piece
        elif isinstance(piece, alignment.ReadWord) and piece.HasField("text_offset"):
            shown += piece.text
    assert shown.split() == TEXT.split()


def test_neighbouring_spans_do_not_overlap():
    spans = [line.split()[2:4] for line in written("ctm").splitlines()]
    times = [(float(start), float(start) + float(length)) for start, length in spans]
    assert all(before[1] <= after[0] + 0.001 for before, after in itertools.pairwise(times))
