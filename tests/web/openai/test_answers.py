"""What the answer of OpenAI's API says about speakers."""

from __future__ import annotations

import json

import pytest
from openai.types.audio import TranscriptionDiarized

from maie.job.v1 import job_pb2 as job
from maie_core.durations import duration
from maie_web.openai.answers import answer, letters
from maie_web.openai.forms import Asked, transcription

pytestmark = pytest.mark.unit


def asked_for(response_format: str) -> Asked:
    form = {"model": ["gpt-4o-transcribe-diarize"], "response_format": [response_format]}
    return transcription(form, "talk.wav", ())


def test_diarized_json_has_the_speaker_of_each_segment() -> None:
    finished = job.Job()
    finished.metrics.input_duration.seconds = 4
    said = ((0, 1.5, "hello", "Hello.", "S1"), (1.5, 2, "uh", "", "S2"), (2, 4, "hi", "Hi.", "S2"))
    for number, (start, end, text, clean, speaker) in enumerate(said):
        segment = finished.results.segments.add(
            segment_id=f"c0000-s000{number}", text=text, clean_text=clean, speaker=speaker
        )
        segment.start_offset.CopyFrom(duration(start))
        segment.end_offset.CopyFrom(duration(end))
    asked = asked_for("diarized_json")
    assert list(asked.config.features) == [job.FEATURE_CLEAN_TRANSCRIPT, job.FEATURE_SPEAKERS]
    body = json.loads(json.dumps(answer(finished, asked, {}).content))
    got = TranscriptionDiarized.model_validate(body, strict=True)
    assert (got.task, got.duration, got.text) == ("transcribe", 4.0, "Hello. Hi.")
    assert [(each.id, each.start, each.end, each.text, each.speaker) for each in got.segments] == [
        ("c0000-s0000", 0.0, 1.5, "Hello.", "A"),
        ("c0000-s0002", 2.0, 4.0, "Hi.", "B"),
    ]
    assert {each.type for each in got.segments} == {"transcript.text.segment"}
    assert got.usage is not None
    assert got.usage.to_dict() == {"type": "duration", "seconds": 4.0}


def test_nobody_is_told_apart_where_it_is_not_asked_for() -> None:
    assert list(asked_for("json").config.features) == [job.FEATURE_CLEAN_TRANSCRIPT]


@pytest.mark.parametrize(
    ("number", "expected"), [(0, ""), (1, "A"), (26, "Z"), (27, "AA"), (52, "AZ"), (53, "BA")]
)
def test_speakers_are_called_by_letters(number: int, expected: str) -> None:
    assert letters(number) == expected
