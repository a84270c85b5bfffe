"""What the answer of Deepgram's API says about speakers."""

from __future__ import annotations

from typing import Any

import pytest
from deepgram.types.listen_v1response import ListenV1Response

from maie.job.v1 import job_pb2 as job
from maie_core.durations import duration
from maie_core.errors import StageError
from maie_core.reasons import Reason
from maie_web.deepgram.answers import answer
from maie_web.deepgram.options import RecordingOptions, StreamOptions, options_of
from maie_web.deepgram.recordings import config_of

pytestmark = pytest.mark.unit


def conversation(*speakers: str | None) -> job.Job:
    """Two words of each speaker in turn, one second each."""
    finished = job.Job()
    for number, speaker in enumerate(speakers):
        segment = finished.results.segments.add(
            segment_id=f"s{number}", text="Well, yes.", speaker=speaker
        )
        for place, text in enumerate(("Well,", "yes.")):
            word = segment.words.add(word=text)
            word.start_offset.CopyFrom(duration(number + place / 2))
            word.end_offset.CopyFrom(duration(number + place / 2 + 0.5))
        segment.start_offset.seconds, segment.end_offset.seconds = number, number + 1
    return finished


def answered(finished: job.Job, **asked: list[str]) -> Any:
    options = options_of(RecordingOptions, {"utterances": ["true"], "paragraphs": ["true"]} | asked)
    return ListenV1Response.model_validate(answer(finished, options, "0" * 64)).results


def test_words_utterances_and_paragraphs_have_the_number_of_the_speaker() -> None:
    results = answered(conversation("S1", "S1", "S3"), diarize=["true"])
    best = results.channels[0].alternatives[0]
    assert [each.speaker for each in best.words] == [0, 0, 0, 0, 2, 2]
    assert [each.speaker for each in results.utterances] == [0, 0, 2]
    assert [each.speaker for each in results.utterances[2].words] == [2, 2]
    assert [each.speaker for each in best.paragraphs.paragraphs] == [0, 2]
    assert best.paragraphs.transcript == (
        "\nSpeaker 0: Well, yes. Well, yes.\n\n\nSpeaker 2: Well, yes."
    )
    assert best.transcript == "Well, yes. Well, yes. Well, yes."


def test_nobody_has_a_number_where_it_is_not_asked_for() -> None:
    results = answered(conversation(None))
    best = results.channels[0].alternatives[0]
    assert [each.speaker for each in (*best.words, *results.utterances)] == [None, None, None]
    assert best.paragraphs.paragraphs[0].speaker is None
    assert best.paragraphs.transcript == "Well, yes."


@pytest.mark.parametrize(
    ("query", "is_asked"),
    [
        ({"diarize": ["true"]}, True),
        ({"diarize_model": ["latest"]}, True),
        ({"diarize": ["false"], "diarize_version": [""]}, False),
        ({}, False),
    ],
)
def test_either_option_asks_who_speaks(query: dict[str, list[str]], is_asked: bool) -> None:
    config = config_of(options_of(RecordingOptions, query))
    assert (job.FEATURE_SPEAKERS in config.features) is is_asked


@pytest.mark.parametrize("option", ["diarize", "diarize_model"])
def test_a_stream_does_not_say_who_speaks(option: str) -> None:
    assert options_of(StreamOptions, {option: ["false"]}) == StreamOptions()
    with pytest.raises(StageError) as refused:
        options_of(StreamOptions, {option: ["true"]})
    assert (refused.value.reason, refused.value.field) == (Reason.OPTION_NOT_SUPPORTED, option)
