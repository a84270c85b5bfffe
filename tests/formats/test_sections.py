"""Documents say how good the sound is and how a text was read, where a job was asked for that."""

from __future__ import annotations

import pytest

from maie.job.v1 import job_pb2 as job
from maie.quality.v1 import quality_pb2 as quality
from maie_formats.markdown import markdown
from tests.formats.readings import reading

pytestmark = pytest.mark.unit


def test_the_sound_is_said_in_words_and_what_was_not_measured_is_left_out() -> None:
    report = quality.QualityReport(
        overall=quality.ScoreSummary(mean=3.21),
        background=quality.ScoreSummary(mean=3.9),
        snr_db=18.4,
        loudness_lufs=-23.04,
        hum=quality.Hum(hertz=50, level_dbfs=-48),
        dropout_count=2,
        silence_share=0.254,
    )
    text = markdown(job.JobResults(quality_report=report), "talk")
    assert text == (
        "# talk\n\n## Sound\n\n- Predicted opinion: 3.2 of 5 (background 3.9)\n"
        "- Speech over noise: 18 dB\n- Loudness: -23.0 LUFS\n- Hum: 50 Hz at -48 dBFS\n"
        "- Dropouts: 2\n- Silence: 25%\n"
    )


def test_a_reading_is_shown_in_figures_with_the_words_to_look_at() -> None:
    text = markdown(job.JobResults(reading=reading()), "talk")
    assert text.startswith("# talk\n\n## Reading\n\n- Words correct a minute: ")
    _, words = text.split("## Words to look at\n\n")
    assert "- \\[00:01\\] upon: another word was read, heard as up on\n" in words
    assert "- a: left out\n" in words
    assert "Once" not in words
