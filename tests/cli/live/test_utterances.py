"""Which text of an utterance is shown, and when."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from maie.common.v1 import types_pb2 as common
from maie.live.v1 import live_pb2 as live
from maie_cli.live.utterances import Utterances
from maie_core.reasons import WarningReason

pytestmark = pytest.mark.unit


def started(*, refinements: bool) -> live.TranscribeResponse:
    config = live.SessionConfig(refinements=refinements)
    return live.TranscribeResponse(started=live.SessionStarted(config=config))


def final(name: str, text: str, *, punctuated: bool = False) -> live.TranscribeResponse:
    made = live.Final(punctuated=punctuated)
    made.segment.segment_id, made.segment.text = name, text
    return live.TranscribeResponse(final=made)


def refinement(name: str, text: str) -> live.TranscribeResponse:
    return live.TranscribeResponse(refinement=live.Refinement(utterance_id=name, clean_text=text))


def late() -> live.TranscribeResponse:
    event = live.TranscribeResponse()
    event.warning.warning.reason = WarningReason.REFINEMENTS_LATE
    return event


def labels(name: str, *speakers: str) -> live.TranscribeResponse:
    words = [live.WordSpeaker(speaker=each) for each in speakers]
    made = live.SpeakerLabels(utterance_id=name, speaker=speakers[0], words=words)
    return live.TranscribeResponse(speaker_labels=made)


def update(old: str, new: str) -> live.TranscribeResponse:
    return live.TranscribeResponse(speaker_update=live.SpeakerUpdate(old=old, new=new))


def shared(name: str, text: str) -> live.TranscribeResponse:
    """A final of a track that several people share."""
    made = final(name, text)
    for word in text.split():
        made.final.segment.words.add(word=word)
    return made


def said(finals: Sequence[live.Final]) -> list[tuple[str, str]]:
    return [(each.segment.speaker, each.segment.text) for each in finals]


def test_a_final_of_several_people_waits_for_who_says_what() -> None:
    utterances = Utterances()
    begun = started(refinements=False)
    begun.started.config.several_speakers = True
    for event in (begun, shared("u1", "so yes"), shared("u2", "well")):
        assert utterances.take(event) == []
    assert utterances.take(labels("u2", "S3")) == []
    assert utterances.take(update("S3", "S1")) == []
    done = said(utterances.take(labels("u1", "S1", "S2")))
    assert done == [("S1", "so"), ("S2", "yes"), ("S1", "well")]
    assert utterances.take(shared("u3", "alone")) == []
    missing = common.Warning(reason=WarningReason.SPEAKERS_MISSING)
    warned = live.TranscribeResponse(warning=live.SessionWarning(warning=missing))
    assert said(utterances.take(warned)) == [("", "alone")]


def shown(utterances: Utterances, *events: live.TranscribeResponse) -> list[str]:
    return [each.segment.text for event in events for each in utterances.take(event)]


def test_without_refinements_a_final_is_shown_at_once() -> None:
    utterances = Utterances()
    assert shown(utterances, started(refinements=False), final("u1", "so")) == ["so"]


def test_finals_keep_their_order_whichever_is_refined_first() -> None:
    utterances = Utterances()
    assert not shown(
        utterances,
        started(refinements=True),
        final("u1", "one"),
        final("u2", "two"),
        refinement("u2", "Two."),
    )
    assert [each.segment.text for each in utterances.held] == ["one", "Two."]
    assert shown(utterances, refinement("u1", "One."), refinement("u1", "?")) == ["One.", "Two."]
    assert not list(utterances.held)


def test_a_final_that_gets_no_refinement_waits_for_none() -> None:
    utterances = Utterances()
    events = (started(refinements=True), final("u1", "One.", punctuated=True), final("u2", ""))
    assert shown(utterances, *events) == ["One.", ""]


def test_late_refinements_hold_nothing_back() -> None:
    utterances = Utterances()
    events = (started(refinements=True), final("u1", "one"), late(), final("u2", "two"))
    assert shown(utterances, *events) == ["one", "two"]
    assert not shown(utterances, refinement("u1", "One."))


def test_the_end_shows_what_is_left() -> None:
    utterances = Utterances()
    ended = live.TranscribeResponse(ended=live.SessionEnded())
    assert shown(utterances, started(refinements=True), final("u1", "one"), ended) == ["one"]
