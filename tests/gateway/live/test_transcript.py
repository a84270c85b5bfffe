"""The transcripts of a live session's chunks, made of its log."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from google.protobuf.duration_pb2 import Duration

from maie.common.v1 import types_pb2 as common
from maie.live.v1 import live_pb2 as live
from maie.live.v1 import session_pb2 as session
from maie_gateway.live.ending.transcript import transcripts

pytestmark = pytest.mark.unit


MINUTE = 60_000_000_000


def final(
    track: int, second: int, text: str, *, language: str = "en", engine: str = ""
) -> session.SessionEntry:
    """An utterance of one second."""
    segment = common.Segment(
        segment_id=f"t{track:02d}-u{second:04d}",
        start_offset=Duration(seconds=second),
        end_offset=Duration(seconds=second + 1),
        text=text,
        track=track,
    )
    spoken = live.Final(segment=segment, language_code=language, punctuated=engine == "whisper")
    finished = session.UtteranceFinished(final=spoken)
    if engine:
        finished.engine.engine = engine
    return session.SessionEntry(finished=finished)


def transcript(entries: Iterable[session.SessionEntry]) -> common.Transcript:
    """The only chunk of a short session."""
    (made,) = transcripts(entries, MINUTE, most=10)
    return made


def ids(made: common.Transcript) -> list[str]:
    return [each.segment_id for each in made.segments]


def test_finals_of_all_tracks_stand_in_the_order_of_speech() -> None:
    made = transcript([final(1, 5, "Third."), final(2, 1, "First."), final(1, 2, "Second.")])
    assert [each.text for each in made.segments] == ["First.", "Second.", "Third."]
    assert [each.track for each in made.segments] == [2, 1, 1]


def test_one_track_is_not_named() -> None:
    entries = [final(1, 1, "One."), final(1, 2, "Two.")]
    assert [each.track for each in transcript(entries).segments] == [0, 0]
    assert all(each.finished.final.segment.track == 1 for each in entries)


def test_an_utterance_without_text_leaves_nothing() -> None:
    assert [each.text for each in transcript([final(1, 1, ""), final(1, 2, "So.")]).segments] == [
        "So."
    ]
    assert transcripts([final(1, 1, "")], MINUTE, most=10) == []
    assert transcripts([], MINUTE, most=10) == []


def test_a_refined_final_has_both_texts() -> None:
    refinement = live.Refinement(utterance_id="t01-u0001", clean_text="Hello, world.")
    rules = common.EngineVersion(engine="rules")
    entries = [
        final(1, 1, "hello world"),
        final(1, 2, "so"),
        session.SessionEntry(refinement=refinement, enhancement_engine=rules),
    ]
    made = transcript(entries)
    first, second = made.segments
    assert (first.text, first.clean_text) == ("hello world", "Hello, world.")
    assert not second.HasField("clean_text")
    assert made.enhancement_engine == rules
    assert not made.kept_segment_ids


def test_a_refinement_that_is_the_raw_text_says_so() -> None:
    refinement = live.Refinement(utterance_id="t01-u0001", clean_text="so")
    entries = [final(1, 1, "so"), session.SessionEntry(refinement=refinement, kept=True)]
    assert transcript(entries).kept_segment_ids == ["t01-u0001"]
