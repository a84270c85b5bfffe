"""The speakers of a session have names that never change, also where two turn out to be one."""

from __future__ import annotations

import pytest

from maie.common.v1 import types_pb2 as common
from maie.live.v1 import live_pb2 as live
from maie.live.v1 import session_pb2 as session
from maie_gateway.live.ledger import durable_event
from maie_gateway.live.speakers.state import MOST_UNLABELLED, Lane, Naming, Speakers, Voice

pytestmark = pytest.mark.unit

ROOM = Lane(1, 0)


def final(number: int, track: int = 1) -> live.Final:
    name = f"t{track:02d}-u{number:04d}"
    return live.Final(segment=common.Segment(segment_id=name, text="So.", track=track))


def labelled(number: int, *numbers: str) -> session.UtteranceLabelled:
    """Labels that name these speakers of the room first."""
    labels = live.SpeakerLabels(utterance_id=f"t01-u{number:04d}")
    return session.UtteranceLabelled(labels=labels, numbers=numbers)


def room(*numbers: str) -> Speakers:
    """A session whose room has these speakers, named one after the other."""
    speakers = Speakers()
    for place, number in enumerate(numbers, start=1):
        after = speakers.with_final(final(place), several=True).with_labels(labelled(place, number))
        assert after is not None
        speakers = after
    return speakers


def merged(old: str, new: str, *names: str) -> session.SpeakersMerged:
    update = live.SpeakerUpdate(old=names[0], new=names[1]) if names else None
    return session.SpeakersMerged(number=1, old=old, new=new, update=update)


def test_names_are_in_the_order_of_appearance_over_all_tracks() -> None:
    speakers = Speakers().with_final(final(1, track=2), several=False)
    speakers = speakers.with_final(final(1), several=True)
    naming = Naming(speakers, ROOM)
    assert [naming.name(each) for each in ("7", "2", "7")] == ["S2", "S3", "S2"]
    after = speakers.with_labels(labelled(1, *naming.numbers))
    assert after is not None
    assert after.name(Voice(ROOM, "2")) == "S3"
    assert after.name(Voice(Lane(2, 0))) == "S1"
    assert after.name(Voice(Lane(3, 0))) == "S4"


def test_a_final_is_labelled_once() -> None:
    speakers = room("1")
    assert speakers.with_labels(labelled(1)) is None
    assert not speakers.waiting(ROOM)


def test_who_turned_out_to_be_another_has_the_other_name() -> None:
    speakers = room("1", "2", "3").with_merge(merged("3", "2", "S3", "S2"))
    speakers = speakers.with_merge(merged("2", "1", "S2", "S1"))
    assert {speakers.name(Voice(ROOM, each)) for each in "123"} == {"S1"}
    # No name is given twice.
    assert Naming(speakers, ROOM).name("4") == "S4"


def test_a_name_stays_where_the_other_has_none() -> None:
    speakers = room("2").with_merge(merged("2", "1"))
    assert speakers.name(Voice(ROOM, "1")) == "S1"
    assert Naming(speakers, ROOM).name("2") == "S2"


def test_clients_get_an_event_where_they_know_both() -> None:
    told = session.SessionEntry(sequence=4, speakers_merged=merged("3", "2", "S3", "S2"))
    event = durable_event(told)
    assert event is not None
    assert (event.speaker_update.old, event.speaker_update.new) == ("S3", "S2")
    assert durable_event(session.SessionEntry(speakers_merged=merged("2", "1"))) is None


def test_a_session_without_diarization_keeps_few_finals() -> None:
    speakers = Speakers()
    for number in range(MOST_UNLABELLED + 5):
        speakers = speakers.with_final(final(number), several=True)
    assert len(speakers.unlabelled) == MOST_UNLABELLED
    assert speakers.unlabelled[-1] == final(MOST_UNLABELLED + 4)
