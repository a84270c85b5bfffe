"""The transcripts of a live session's chunks, made of its log."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from google.protobuf.duration_pb2 import Duration

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
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


def opened() -> session.SessionEntry:
    """The beginning of a session that asks for speakers."""
    config = live.SessionConfig(job=job.JobConfig(features=[job.FEATURE_SPEAKERS]))
    return session.SessionEntry(opened=session.SessionOpened(config=config))


def labels(second: int, *speakers: str) -> session.SessionEntry:
    """Who says the words of an utterance."""
    made = live.SpeakerLabels(
        utterance_id=f"t01-u{second:04d}",
        speaker=speakers[0],
        words=[live.WordSpeaker(speaker=each) for each in speakers],
    )
    labelled = session.UtteranceLabelled(labels=made)
    labelled.engine.engine = "embedded"
    return session.SessionEntry(labelled=labelled)


def spoken(second: int, *words: str) -> session.SessionEntry:
    """An utterance with words."""
    entry = final(1, second, " ".join(words))
    for number, each in enumerate(words):
        begin = Duration(seconds=second, nanos=number * 100_000_000)
        entry.finished.final.segment.words.add(word=each, start_offset=begin, end_offset=begin)
    return entry


def test_segments_end_where_the_speaker_changes() -> None:
    refined = live.Refinement(utterance_id="t01-u0002", clean_text="Three.")
    made = transcript(
        [
            opened(),
            spoken(1, "one", "two"),
            spoken(2, "three"),
            session.SessionEntry(refinement=refined),
            labels(1, "S1", "S2"),
            labels(2, "S2"),
        ]
    )
    assert ids(made) == ["t01-u0001", "t01-u0001-p2", "t01-u0002"]
    assert [(each.text, each.speaker) for each in made.segments] == [
        ("one", "S1"),
        ("two", "S2"),
        ("three", "S2"),
    ]
    assert made.segments[2].clean_text == "Three."
    assert made.diarization_engine.engine == "embedded"
    assert not made.without_speaker


def test_who_turned_out_to_be_another_is_the_other_everywhere() -> None:
    def merge(old: str, new: str) -> session.SessionEntry:
        update = live.SpeakerUpdate(track="room", old=old, new=new)
        return session.SessionEntry(speakers_merged=session.SpeakersMerged(update=update))

    entries = [opened(), spoken(1, "one", "two"), spoken(2, "three"), labels(1, "S3", "S1")]
    made = transcript([*entries, merge("S3", "S2"), labels(2, "S2"), merge("S2", "S1")])
    assert [each.text for each in made.segments] == ["one two", "three"]
    assert {each.speaker for each in made.segments} == {"S1"}


def test_text_without_a_speaker_is_named() -> None:
    made = transcript([opened(), spoken(1, "one"), spoken(2, "two"), labels(2, "S1")])
    assert [each.start_offset.seconds for each in made.without_speaker] == [1]
    assert not transcript([spoken(1, "one")]).without_speaker
