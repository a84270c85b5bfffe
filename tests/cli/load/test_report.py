"""What is printed fits a terminal, with and without colours and in any encoding."""

from __future__ import annotations

import io
from collections import Counter

import pytest
from rich.console import Console

from maie_cli.exits import Exit
from maie_cli.load.load import Load
from maie_cli.load.report import latency, print_result
from maie_cli.load.result import JOBS, STREAMS, Kind, result_of
from maie_cli.load.runs import Measure, Run, Sample, State, Trouble

pytestmark = pytest.mark.unit

HOSTILE = "\x1b[2Jtalk.wav"
SENTENCE = "The recording cannot be read, whatever is done with it; send it again in another form."


class Never:
    """Work that is not done here."""

    async def do(self, _: Run) -> None:
        raise AssertionError

    async def cancel(self, _: Run) -> bool:
        raise AssertionError


def run_of(load: Load, kind: Kind, number: int) -> Run:
    run = Run(clock=load.clock, state=State.COMPLETE, audio_seconds=60.0)
    for measure in kind.measures:
        run.add(measure, Sample(at=float(number), seconds=0.3 + number / 10))
    return run


def loaded(kind: Kind, count: int = 300) -> Load:
    """A load of which some failed and some were cancelled."""
    load = Load(Never(), count=count + 20, at_once=7)
    load.seconds = 600.0
    load.runs = [run_of(load, kind, number) for number in range(count)]
    failed = Run(clock=load.clock)
    failed.fail(Trouble(reason="AUDIO_" + "CORRUPT_" * 6, message=SENTENCE, code=Exit.USAGE))
    failed.notices = Counter({"AUDIO_SLOW": 3, "nothing": 0})
    load.runs += [failed, Run(clock=load.clock, state=State.CANCELLED)]
    return load


def printed(load: Load, kind: Kind, width: int, **options: object) -> str:
    file = io.TextIOWrapper(io.BytesIO(), encoding=str(options.pop("encoding", "utf-8")))
    console = Console(file=file, width=width, highlight=False, markup=False, **options)  # type: ignore[arg-type]
    print_result(console, result_of(load, kind, recording=HOSTILE, at_once=7), kind)
    file.flush()
    return file.buffer.getvalue().decode()


@pytest.mark.parametrize("kind", [JOBS, STREAMS], ids=lambda kind: kind.name)
@pytest.mark.parametrize("width", [80, 100, 200])
def test_it_fits_terminals(kind: Kind, width: int) -> None:
    text = printed(loaded(kind), kind, width)
    assert max(map(len, text.splitlines())) <= width
    assert "\x1b" not in text
    for part in ("300 complete, 1 failed, 1 cancelled, 18 not begun in 10:00", "p50", "█", "p90"):
        assert part in text
    assert "30 hours of audio per hour" in text
    assert "3  AUDIO_SLOW" in text
    assert "nothing" not in text
    flat = " ".join(text.split())
    assert "whatever is done" in flat


def test_bars_are_of_characters_that_the_output_has() -> None:
    text = printed(loaded(JOBS), JOBS, 80, encoding="ascii")
    assert text.isascii()
    assert "#" * 40 in text
    assert "?" not in text


def test_without_colours_there_are_none() -> None:
    coloured = printed(loaded(JOBS), JOBS, 80, force_terminal=True, color_system="standard")
    assert "\x1b[36;49m█" in coloured
    plain = printed(
        loaded(JOBS), JOBS, 80, force_terminal=True, color_system="standard", no_color=True
    )
    assert "36;49" not in plain
    assert "█" in plain


def test_what_measured_nothing_says_what_became_of_it() -> None:
    load = Load(Never(), count=3, at_once=1)
    text = printed(load, JOBS, 80)
    assert "3 not begun" in text
    assert "p50" not in text


def test_latencies_are_short() -> None:
    values = (0.0, 0.0042, 0.6041, 0.9999, 1.25, 12.34, 185.0, -0.02)
    assert [latency(each) for each in values] == [
        *("0 ms", "4 ms", "604 ms", "1.00 s", "1.25 s", "12.3 s", "3:05", "-20 ms"),
    ]


def test_measures_have_names_for_people_and_for_programs() -> None:
    assert (Measure.FIRST_WORDS.words, str(Measure.FIRST_WORDS)) == ("first words", "first_words")
