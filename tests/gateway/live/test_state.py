"""Whatever two gateways try to write, a session's log is one story: nothing twice, nothing back."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maie.common.v1 import types_pb2 as common
from maie.live.v1 import live_pb2 as live
from maie.live.v1 import session_pb2 as session
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_core.errors import StageError
from maie_core.reasons import Reason
from maie_core.samples import duration
from maie_gateway.live.ledger import DURABLE, durable_event
from maie_gateway.live.marks import Mark, to_message
from maie_gateway.live.refinement.unrefined import MOST_UNREFINED
from maie_gateway.live.state import SessionState, apply, replay, utterance_id

pytestmark = pytest.mark.unit

SESSION = "0199a000-7f31-7c11-8a54-0d5d4c1f0a11"
TRACKS = ("ann", "bob", "call")
TWO_SIDES = live.AudioFormat(channels=2, channel_mode=preprocess.CHANNEL_MODE_SPLIT)
OPENED = session.SessionEntry(
    session_id=SESSION,
    opened=session.SessionOpened(
        tenant="default", token_sha256="a" * 64, config=live.SessionConfig(refinements=True)
    ),
)


@dataclass
class Log:
    """A log that takes an entry from who knows the last one."""

    entries: list[session.SessionEntry] = field(default_factory=lambda: [OPENED])

    def append(self, entry: session.SessionEntry, after: int) -> bool:
        if after != len(self.entries):
            return False
        stored = session.SessionEntry()
        stored.CopyFrom(entry)
        self.entries.append(stored)
        return True


class Gateway:
    """Writes what it believes, and stops where it is refused."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._state: SessionState | None = None
        self._place = 0

    def take(self, lags: int) -> None:
        """Takes the session over, from a reading that may be behind."""
        read = self._log.entries[: max(len(self._log.entries) - lags, 1)]
        self._state, self._place = replay(read), len(read)
        assert self._state is not None
        if self._state.ended is not None:
            self._state = None
            return
        self._write(session.SessionEntry(taken=session.SessionTaken()), self._state.epoch + 1)

    def act(self, kind: str, name: str, amount: int, side: int = 0) -> None:
        """Writes an entry, as far as this gateway knows that it can follow.

        Args:
            kind: What the entry is.
            name: The track; "call" has two channels.
            amount: How many messages and samples the channel goes on.
            side: The channel, from 0; a track without channels has one.
        """
        state = self._state
        if state is None or state.ended is not None:
            return
        known = state.tracks.get(name)
        if kind == "ended":
            self._write(session.SessionEntry(ended=live.SessionEnded(job_id=SESSION)))
        elif kind == "refine":
            if finals := state.unrefined.finals:
                self._write(refinement(finals[amount % len(finals)]))
        elif known is None:
            of_sides = TWO_SIDES if name == "call" else None
            join = live.TrackJoin(track=name, sequence=state.left.get(name, 0), format=of_sides)
            began = session.TrackBegan(join=join, number=state.track_count + 1)
            self._write(session.SessionEntry(track_began=began))
        elif kind == "leave":
            over = session.TrackEnded(number=known.number, sequence=known.mark.sequence + 1)
            self._write(session.SessionEntry(track_ended=over))
        else:
            side = min(side, len(known.marks) - 1)
            channel = side + 1 if len(known.marks) > 1 else 0
            before = known.marks[side]
            mark = Mark(
                sequence=before.sequence + amount,
                position=before.settled + amount,
                settled=before.settled + amount,
                next_utterance=before.next_utterance + (kind == "final"),
            )
            if kind == "final":
                self._write(final(known.number, name, before, mark, channel))
            else:
                marks = [to_message(mark, known.number, channel)]
                settled = session.TracksSettled(marks=marks)
                self._write(session.SessionEntry(settled=settled))

    def _write(self, entry: session.SessionEntry, epoch: int | None = None) -> None:
        assert self._state is not None
        entry.session_id = SESSION
        entry.epoch = self._state.epoch if epoch is None else epoch
        if entry.WhichOneof("entry") in DURABLE:
            entry.sequence = self._state.sequence + 1
        after = apply(self._state, entry)
        if self._log.append(entry, self._place):
            self._state, self._place = after, self._place + 1
        else:
            self._state = None  # fenced


def final(
    number: int, name: str, before: Mark, mark: Mark, channel: int = 0
) -> session.SessionEntry:
    made = live.Final(track=name)
    made.segment.segment_id = utterance_id(number, before.next_utterance, channel)
    made.segment.start_offset.CopyFrom(duration(before.settled))
    made.segment.end_offset.CopyFrom(duration(mark.settled))
    made.segment.text = "so it is"
    made.segment.track = number
    finished = session.UtteranceFinished(final=made, mark=to_message(mark, number, channel))
    return session.SessionEntry(finished=finished)


def refinement(final: live.Final) -> session.SessionEntry:
    return session.SessionEntry(
        refinement=live.Refinement(
            track=final.track, utterance_id=final.segment.segment_id, clean_text="So it is."
        )
    )


ACTIONS = st.tuples(
    st.integers(0, 1),
    st.sampled_from(["take", "final", "final", "refine", "refine", "settle", "leave", "ended"]),
    st.sampled_from(TRACKS),
    st.integers(0, 3),
    st.integers(0, 1),
)


@given(st.lists(ACTIONS, max_size=60))
def test_any_interleaving_of_two_gateways_leaves_one_consistent_log(
    actions: list[tuple[int, str, str, int, int]],
) -> None:
    log = Log()
    gateways = (Gateway(log), Gateway(log))
    gateways[0].take(0)
    for which, kind, name, amount, side in actions:
        if kind == "take":
            gateways[which].take(amount)
        else:
            gateways[which].act(kind, name, amount, side)
    check(log)


def check(log: Log) -> None:
    state = replay(log.entries)
    assert state is not None
    utterances = [
        e.finished.final.segment.segment_id for e in log.entries if e.HasField("finished")
    ]
    assert len(utterances) == len(set(utterances)) == state.final_count
    waiting: set[str] = set()
    for entry in log.entries:
        if entry.HasField("finished"):
            waiting.add(entry.finished.final.segment.segment_id)
        if entry.HasField("refinement"):
            # Each is of a final before it, and the only one.
            waiting.remove(entry.refinement.utterance_id)
    assert {each.segment.segment_id for each in state.unrefined.finals} == waiting
    running = {track.number for track in state.tracks.values()}
    assert {number for number, _ in state.unrefined.before} <= running | {
        each.segment.track for each in state.unrefined.finals
    }
    events = [event.sequence for e in log.entries if (event := durable_event(e)) is not None]
    assert events == list(range(1, len(events) + 1))
    epochs = [entry.epoch for entry in log.entries]
    assert epochs == sorted(epochs)
    marks: dict[tuple[int, int], Mark] = {}
    seen: SessionState | None = None
    for length in range(1, len(log.entries) + 1):
        seen = replay(log.entries[:length])
        assert seen is not None
        for track in seen.tracks.values():
            assert len(track.marks) == (2 if track.join.track == "call" else 1)
            assert track.mark.sequence == min(mark.sequence for mark in track.marks)
            for side, mark in enumerate(track.marks):
                assert mark.follows(marks.get((track.number, side), Mark()))
                marks[track.number, side] = mark
    assert sum(e.HasField("ended") for e in log.entries) == (state.ended is not None)


def begun() -> SessionState:
    log = Log()
    gateway = Gateway(log)
    gateway.take(0)
    gateway.act("final", "ann", 0)
    gateway.act("final", "ann", 2)
    found = replay(log.entries)
    assert found is not None
    return found


def numbered(entry: session.SessionEntry, state: SessionState) -> session.SessionEntry:
    """An entry as the next one of a session."""
    entry.session_id, entry.epoch, entry.sequence = SESSION, state.epoch, state.sequence + 1
    return entry


def test_an_utterance_has_one_final_and_one_refinement_and_no_mark_goes_back() -> None:
    state = begun()
    mark = state.tracks["ann"].mark
    again = final(1, "ann", Mark(next_utterance=1), mark)
    back = session.SessionEntry(
        settled=session.TracksSettled(marks=[to_message(Mark(next_utterance=2), 1)])
    )
    foreign = session.SessionEntry(track_ended=session.TrackEnded(number=7))
    refined = refinement(again.finished.final)
    state = apply(state, numbered(refined, state))
    elsewhere = live.Final(track="bob", segment=common.Segment(segment_id="t01-u0002"))
    unknown = live.Final(track="ann", segment=common.Segment(segment_id="t01-u0003"))
    refinements = [refined, refinement(elsewhere), refinement(unknown)]
    for entry in (again, back, foreign, *refinements, OPENED, session.SessionEntry()):
        entry = session.SessionEntry.FromString(entry.SerializeToString())
        entry = numbered(entry, state)
        with pytest.raises(StageError) as refused:
            apply(state, entry)
        assert refused.value.reason == Reason.UNREADABLE


def test_a_channel_has_finals_and_marks_of_its_own() -> None:
    log = Log()
    gateway = Gateway(log)
    gateway.take(0)
    for side, amount in ((0, 0), (0, 5), (0, 4), (1, 3)):
        gateway.act("final", "call", amount, side)
    state = replay(log.entries)
    assert state is not None
    call = state.tracks["call"]
    assert [(m.sequence, m.settled, m.next_utterance) for m in call.marks] == [(9, 9, 3), (3, 3, 2)]
    assert (call.mark, call.settled) == (call.marks[1], 9)
    names = [e.finished.final.segment.segment_id for e in log.entries if e.HasField("finished")]
    assert names == ["t01-c1-u0001", "t01-c1-u0002", "t01-c2-u0001"]
    mark = Mark(sequence=10, position=10, settled=10, next_utterance=4)
    for number, channel, utterance_of in ((1, 3, 3), (1, 0, 0), (1, 2, 1)):
        entry = final(number, "call", Mark(next_utterance=3), mark, channel)
        entry.finished.final.segment.segment_id = utterance_id(number, 3, utterance_of)
        entry.epoch = state.epoch
        with pytest.raises(StageError) as refused:
            apply(state, entry)
        assert refused.value.reason == Reason.UNREADABLE


def test_a_thousand_tracks_that_came_and_went_leave_a_number_each() -> None:
    log = Log()
    gateway = Gateway(log)
    gateway.take(0)
    for _ in range(1000):
        gateway.act("final", "ann", 0)
        gateway.act("final", "ann", 2)
        gateway.act("leave", "ann", 0)
    state = replay(log.entries)
    assert state is not None
    assert (state.tracks, state.track_count, state.final_count) == ({}, 1000, 1000)
    assert len(state.unrefined.finals) == MOST_UNREFINED
    assert state.left == {"ann": 3000}
    assert state.audio == 2000
