"""The report of a recording's sound as a page, a table and JSON."""

from __future__ import annotations

import csv
import json
from xml.etree import ElementTree

import pytest

from maie.job.v1 import job_pb2 as job
from maie_formats.as_json import to_dict
from maie_formats.quality.writers import QUALITY_WRITERS
from tests.formats.sounds import report, whole_sound_alone

pytestmark = pytest.mark.unit

NASTY = '=<script>alert(1)</script> & "it\'s"'


def _job(*overall: float, note: str = "") -> job.Job:
    made = report(*overall, note=note)
    return job.Job(results=job.JobResults(quality_report=made, warnings=made.warnings))


def test_a_page_says_what_was_found_and_names_are_text() -> None:
    made = QUALITY_WRITERS["html"](_job(2.0, 3.0, note="<b>Noise</b>"), NASTY)
    assert "<script" not in made
    assert "<b>" not in made
    assert "&lt;script&gt;alert(1)" in made
    assert "Predicted opinion: 2.5 of 5" in made
    assert "&lt;b&gt;Noise&lt;/b&gt;" in made
    assert "Content-Security-Policy\" content=\"default-src 'none'" in made
    plot = ElementTree.fromstring(made[made.index("<svg") : made.index("</svg>") + 6])
    _, _, width, height = map(float, plot.attrib["viewBox"].split())
    (curve,) = plot.iter("polyline")
    points = [tuple(map(float, each.split(","))) for each in curve.attrib["points"].split()]
    assert len(points) == 2
    assert all(0 <= x <= width and 0 <= y <= height for x, y in points)


def test_a_page_without_speech_has_no_plot() -> None:
    made = QUALITY_WRITERS["html"](_job(), "talk")
    assert "<svg" not in made
    assert "Loudness: -23.1 LUFS" in made


def test_a_table_has_one_line_without_formulas() -> None:
    (row,) = csv.DictReader(QUALITY_WRITERS["csv"](_job(2.0), NASTY).splitlines())
    assert row["file"] == f"'{NASTY}"
    assert (row["overall"], row["snr_db"], row["hum_hertz"]) == ("2.0", "9.4", "50")


def test_json_is_the_contracts() -> None:
    done = _job(2.0, 3.0)
    made = json.loads(QUALITY_WRITERS["json"](done, "talk"))
    assert made == to_dict(done.results.quality_report)


def test_scores_that_the_engine_does_not_give_are_nowhere() -> None:
    done = _job(2.0, 3.0)
    whole_sound_alone(done.results.quality_report)
    shown = QUALITY_WRITERS["html"](done, "talk")
    assert "<li>Predicted opinion: 2.5 of 5</li>" in shown
    assert shown.count("<polyline") == 1
    (row,) = csv.DictReader(QUALITY_WRITERS["csv"](done, "talk").splitlines())
    assert row["overall"] == "2.5"
    assert [row[name] for name in ("speech", "background", "crowd")] == ["", "", ""]
    made = json.loads(QUALITY_WRITERS["json"](done, "talk"))
    assert made["overall"]["mean"] == 2.5
    assert not {"speech", "background", "crowd"} & made.keys()
    assert [list(window["opinion"]) for window in made["windows"]] == [["overall"], ["overall"]]
