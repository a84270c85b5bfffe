"""The page of many recordings, its table, and the limits."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from maie_cli.quality.limits import Limits
from maie_cli.quality.page import WORST, page
from maie_formats.quality.rows import Moment, Row, as_csv

pytestmark = pytest.mark.unit

NASTY = '/in/<script>alert(1)</script> & "it\'s" 100% #1?.wav'


def row(file: str, overall: float | None = 3.0, **of: float) -> Row:
    moments = tuple(
        Moment(start=5.0 * each, end=5.0 * each + 9, overall=overall or 1.0) for each in range(4)
    )
    return Row(file=file, overall=overall, moments=moments, model="dnsmos", device="cpu", **of)  # type: ignore[arg-type]


def test_names_are_text_and_paths_are_links() -> None:
    made = page([row(NASTY)], {NASTY: ["<b>worse</b>"]}, Path("/out"))
    assert "<script>" not in made
    assert "<b>" not in made
    assert "&lt;script&gt;" in made
    assert (
        'src="../in/%3Cscript%3Ealert%281%29%3C/script%3E%20%26%20%22it%27s%22%20100%25%20%231%3F.wav"'
        in made
    )
    assert "http://" not in made
    assert "https://" not in made


def test_the_worst_ten_are_shown_worst_first() -> None:
    rows = [row(f"/in/{place}.wav", 4.5 - place / 10) for place in range(30)]
    made = page(rows, {}, Path("/out"))
    shown = [part.split(":")[0] for part in made.split("<h3>")[1:]]
    assert shown == [f"/in/{place}.wav" for place in range(29, 29 - WORST, -1)]
    assert made.count("<polyline") == WORST
    assert made.count("<tr") == 31


def test_each_plot_is_well_formed_and_within_its_frame() -> None:
    made = page([row("/in/a.wav", 5.0), row("/in/b.wav", 1.0)], {}, Path("/out"))
    plots = made.split("<svg")[1:]
    assert len(plots) == 3
    for plot in plots:
        parsed = ElementTree.fromstring("<svg" + plot.split("</svg>")[0] + "</svg>")
        _, _, width, height = map(float, parsed.attrib["viewBox"].split())
        for curve in parsed.iter("polyline"):
            for point in curve.attrib["points"].split():
                x, y = map(float, point.split(","))
                assert 0 <= x <= width
                assert 0 <= y <= height


def test_recordings_without_speech_and_without_figures_have_their_lines() -> None:
    made = page([row("/in/a.wav", None), Row(file="/in/b.wav", error="No.")], {}, Path("/out"))
    assert "2 recordings, 0 with speech; 1 without figures" in made
    assert ">No.</td>" in made
    assert "<article>" not in made


def test_scores_that_no_engine_gave_have_no_column() -> None:
    whole = page([row("/in/a.wav"), row("/in/b.wav")], {}, Path("/out"))
    assert "<th>overall</th>" in whole
    assert "<th>speech</th>" not in whole
    assert "<th>background</th>" not in whole
    assert whole.count("<polyline") == 2
    # Another engine may have measured the rest before.
    mixed = page([row("/in/a.wav"), row("/in/b.wav", speech=3.5)], {}, Path("/out"))
    assert "<th>speech</th>" in mixed
    assert "<th>background</th>" not in mixed
    assert "<td>3.00</td><td>–</td>" in mixed
    assert "<td>3.00</td><td>3.50</td>" in mixed
    assert "None" not in whole + mixed


def test_a_line_is_as_wide_as_the_table() -> None:
    made = page([row("/in/a.wav"), Row(file="/in/b.wav", error="No.")], {}, Path("/out"))
    assert f'<td colspan="{made.count("<th>") - 1}">No.</td>' in made


def test_a_table_has_no_formulas() -> None:
    head, line = as_csv([Row(file="=1+1.wav", error='=cmd|"/c calc"')]).splitlines()
    assert head.startswith("file,error,seconds,overall,")
    assert "moments" not in head
    assert line.startswith("'=1+1.wav,\"'=cmd")


@pytest.mark.parametrize(
    ("limits", "measured", "broken"),
    [
        (Limits(), row("a", 1.0), 0),
        (Limits(min_overall=3.0), row("a", 3.0), 0),
        (Limits(min_overall=3.1), row("a", 3.0), 1),
        (Limits(min_overall=1.0), row("a", None), 1),
        (Limits(min_snr=10), row("a", snr_db=9.9), 1),
        (Limits(min_snr=10), row("a"), 0),
        (Limits(max_clipping=0.01), row("a", clipping_ratio=0.02), 1),
        (Limits(max_silence=0.5), row("a", silence_share=0.6), 1),
        (Limits(min_overall=5, min_snr=90), row("a", snr_db=1.0), 2),
        (Limits(), Row(file="a", error="No."), 1),
    ],
)
def test_limits_are_kept_or_named(limits: Limits, measured: Row, broken: int) -> None:
    assert len(list(limits.broken(measured))) == broken
