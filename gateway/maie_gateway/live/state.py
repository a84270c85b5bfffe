"""What a session's log says, entry by entry. Pure: no I/O, no clock."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.live.v1 import live_pb2 as live
from maie.live.v1 import session_pb2 as session
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_core.samples import SAMPLE_NANOSECONDS
from maie_gateway.live.ending import latencies
from maie_gateway.live.formats import channel_numbers
from maie_gateway.live.marks import Mark, from_message, least
from maie_gateway.live.options import ChangedOptions
from maie_gateway.live.refinement.unrefined import Unrefined, is_refinable
from maie_gateway.live.speakers.state import Speakers

_UTTERANCE = re.compile(r"t(\d+)(?:-c(\d+))?-u(\d+)")


@dataclass(kw_only=True, frozen=True, slots=True)
class TrackState:
    """A track that goes on.

    Attributes:
        number: Its number in the session, from 1.
        join: What the client calls it, and its format.
        offset: Where it begins, in nanoseconds from the session's beginning.
        marks: How far each of its channels is; one where they are mixed.
    """

    number: int
    join: live.TrackJoin
    offset: int
    marks: tuple[Mark, ...]

    @property
    def mark(self) -> Mark:
        """How far all of its channels are."""
        return least(self.marks)

    def mark_of(self, channel: int) -> Mark:
        """How far a channel is; 0 is the mix of all."""
        return self.marks[channel_numbers(self.join.format).index(channel)]

    @property
    def settled(self) -> int:
        """Up to where any of its channels has its finals, in samples."""
        return max(mark.settled for mark in self.marks)


@dataclass(kw_only=True, frozen=True, slots=True)
class SessionState:
    """A session as its log describes it.

    Attributes:
        session_id: Its id, which is also its job's.
        opened: The first entry.
        begin: When it began, in nanoseconds of Unix time.
        epoch: The number of the last call that took it.
        sequence: The sequence of its last durable event.
        tracks: The tracks that go on, by name.
        left: The last message about each track that ended, by name.
        track_count: How many tracks began.
        final_count: How many finals it has.
        speakers: Who speaks, and which finals wait for it.
        latencies: How many of them took how long.
        audio: The audio of the tracks that ended, in samples.
        length: Where its last speech or track ends, in nanoseconds from its beginning.
        options: The options that the client changed.
        engine: What made the last final; None before the first.
        unrefined: The finals that may still be refined; none where that was not asked for.
        refiner: What made the last refinement; None before the first.
        ended: Its end; None while it goes on.
    """

    session_id: str
    opened: session.SessionOpened
    begin: int
    epoch: int = 0
    sequence: int = 0
    tracks: Mapping[str, TrackState] = field(default_factory=dict)
    left: Mapping[str, int] = field(default_factory=dict)
    track_count: int = 0
    final_count: int = 0
    speakers: Speakers = field(default_factory=Speakers)
    latencies: tuple[int, ...] = latencies.EMPTY
    audio: int = 0
    length: int = 0
    options: ChangedOptions = field(default_factory=ChangedOptions)
    engine: common.EngineVersion | None = None
    unrefined: Unrefined = field(default_factory=Unrefined)
    refiner: common.EngineVersion | None = None
    ended: live.SessionEnded | None = None

    @property
    def durable(self) -> Mapping[str, int]:
        """The last durable message of each track, also of those that ended, by name."""
        marks = {name: track.mark.sequence for name, track in self.tracks.items()}
        return {**self.left, **marks}

    @property
    def names_speakers(self) -> bool:
        """Whether the session's finals name who speaks."""
        return job.FEATURE_SPEAKERS in self.opened.config.job.features

    def track(self, number: int) -> TrackState:
        """The track with a number.

        Raises:
            StageError: DATA_LOSS with UNREADABLE: there is none.
        """
        found = next((each for each in self.tracks.values() if each.number == number), None)
        if found is None:
            raise log_damaged(self.session_id, f"there is no track {number}")
        return found


def opened(entry: session.SessionEntry) -> SessionState:
    """The session after its first entry.

    Raises:
        StageError: DATA_LOSS with UNREADABLE: it is no first entry.
    """
    if not entry.HasField("opened"):
        raise log_damaged(entry.session_id, "it does not begin with the session's opening")
    return SessionState(
        session_id=entry.session_id,
        opened=entry.opened,
        begin=entry.entry_time.ToNanoseconds(),
        epoch=entry.epoch,
    )


def apply(state: SessionState, entry: session.SessionEntry) -> SessionState:
    """The session after one more entry.

    Raises:
        StageError: DATA_LOSS with UNREADABLE: the entry cannot follow.
    """
    kind = entry.WhichOneof("entry") or ""
    if state.ended is not None or kind not in _STEPS:
        raise log_damaged(state.session_id, f"an entry {kind!r} cannot follow")
    if entry.epoch != state.epoch + (kind == "taken"):
        raise log_damaged(state.session_id, f"epoch {entry.epoch} follows {state.epoch}")
    if entry.sequence not in (0, state.sequence + 1):
        raise log_damaged(state.session_id, f"event {entry.sequence} follows {state.sequence}")
    counted = replace(state, sequence=entry.sequence or state.sequence)
    return _STEPS[kind](counted, entry)


def replay(entries: Iterable[session.SessionEntry]) -> SessionState | None:
    """The session after all of its entries; None where there are none."""
    state: SessionState | None = None
    for entry in entries:
        state = apply(state, entry) if state is not None else opened(entry)
    return state


def utterance_id(track: int, utterance: int, channel: int = 0) -> str:
    """The id of an utterance, such as "t01-u0003", or "t01-c2-u0003" on a channel."""
    of_channel = f"-c{channel}" if channel else ""
    return f"t{track:02d}{of_channel}-u{utterance:04d}"


def _taken(state: SessionState, entry: session.SessionEntry) -> SessionState:
    return replace(state, epoch=entry.epoch)


def _track_began(state: SessionState, entry: session.SessionEntry) -> SessionState:
    began = entry.track_began
    name = began.join.track
    if began.number != state.track_count + 1 or name in state.tracks:
        raise log_damaged(state.session_id, f"track {began.number} cannot begin")
    new = TrackState(
        number=began.number,
        join=began.join,
        offset=began.offset.ToNanoseconds(),
        marks=(Mark(sequence=began.join.sequence),) * len(channel_numbers(began.join.format)),
    )
    return replace(
        state,
        tracks={**state.tracks, name: new},
        left={other: last for other, last in state.left.items() if other != name},
        track_count=began.number,
    )


def _finished(state: SessionState, entry: session.SessionEntry) -> SessionState:
    finished = entry.finished
    named = _UTTERANCE.fullmatch(finished.final.segment.segment_id)
    if named is None or not (
        int(named[1]) == finished.mark.number
        and int(named[2] or 0) == finished.mark.channel
        and _mark(state, finished.mark).next_utterance
        <= int(named[3])
        < finished.mark.next_utterance
    ):
        raise log_damaged(state.session_id, "an utterance has two finals")
    moved = _moved(state, finished.mark)
    refinements = state.opened.config.refinements and is_refinable(finished.final)
    speakers = state.speakers
    if state.names_speakers:
        several = state.track(finished.mark.number).join.several_speakers
        speakers = speakers.with_final(finished.final, several=several)
    return replace(
        moved,
        speakers=speakers,
        final_count=state.final_count + 1,
        latencies=latencies.with_latency(state.latencies, finished.final.latency),
        length=max(moved.length, finished.final.segment.end_offset.ToNanoseconds()),
        engine=finished.engine if finished.HasField("engine") else state.engine,
        unrefined=state.unrefined.with_final(finished.final) if refinements else state.unrefined,
    )


def _settled(state: SessionState, entry: session.SessionEntry) -> SessionState:
    for mark in entry.settled.marks:
        state = _moved(state, mark)
    return state


def _mark(state: SessionState, stored: session.TrackMark) -> Mark:
    """Where a channel was before a mark of it."""
    track = state.track(stored.number)
    if stored.channel not in channel_numbers(track.join.format):
        raise log_damaged(state.session_id, f"there is no channel {stored.channel}")
    return track.mark_of(stored.channel)


def _moved(state: SessionState, stored: session.TrackMark) -> SessionState:
    before, mark = _mark(state, stored), from_message(stored)
    if not mark.follows(before):
        raise log_damaged(state.session_id, f"track {stored.number} goes back")
    track = state.track(stored.number)
    channels = zip(channel_numbers(track.join.format), track.marks, strict=True)
    marks = tuple(mark if number == stored.channel else other for number, other in channels)
    moved = replace(track, marks=marks)
    return replace(state, tracks={**state.tracks, track.join.track: moved})


def _track_ended(state: SessionState, entry: session.SessionEntry) -> SessionState:
    track = state.track(entry.track_ended.number)
    name = track.join.track
    tracks = {other: each for other, each in state.tracks.items() if other != name}
    return replace(
        state,
        tracks=tracks,
        left={**state.left, name: entry.track_ended.sequence},
        audio=state.audio + track.settled,
        length=max(state.length, _end(track)),
        options=state.options.without_track(name),
        unrefined=state.unrefined.kept(_numbers(tracks)),
        speakers=state.speakers.without_track(track.number),
    )


def _end(track: TrackState) -> int:
    return track.offset + track.settled * SAMPLE_NANOSECONDS


def _refined(state: SessionState, entry: session.SessionEntry) -> SessionState:
    after = state.unrefined.with_refinement(entry.refinement, _numbers(state.tracks))
    if after is None:
        raise log_damaged(state.session_id, "no final waits for a refinement")
    engine = entry.enhancement_engine if entry.HasField("enhancement_engine") else state.refiner
    return replace(state, unrefined=after, refiner=engine)


def _labelled(state: SessionState, entry: session.SessionEntry) -> SessionState:
    after = state.speakers.with_labels(entry.labelled)
    if after is None:
        raise log_damaged(state.session_id, "no final waits for its speakers")
    return replace(state, speakers=after)


def _speakers_merged(state: SessionState, entry: session.SessionEntry) -> SessionState:
    return replace(state, speakers=state.speakers.with_merge(entry.speakers_merged))


def _voices_known(state: SessionState, entry: session.SessionEntry) -> SessionState:
    return replace(state, speakers=state.speakers.with_known(entry.voices_known))


def _numbers(tracks: Mapping[str, TrackState]) -> frozenset[int]:
    return frozenset(track.number for track in tracks.values())


def _configured(state: SessionState, entry: session.SessionEntry) -> SessionState:
    return replace(state, options=state.options.with_change(entry.configured))


def _ended(state: SessionState, entry: session.SessionEntry) -> SessionState:
    return replace(state, ended=entry.ended)


_STEPS: Mapping[str, Callable[[SessionState, session.SessionEntry], SessionState]] = {
    "taken": _taken,
    "track_began": _track_began,
    "finished": _finished,
    "settled": _settled,
    "track_ended": _track_ended,
    "refinement": _refined,
    "labelled": _labelled,
    "speakers_merged": _speakers_merged,
    "voices_known": _voices_known,
    "configured": _configured,
    "ended": _ended,
}


def log_damaged(session_id: str, problem: str) -> StageError:
    """The error for a log that no gateway of this version writes."""
    return StageError(
        Code.DATA_LOSS,
        Reason.UNREADABLE,
        f"The log of session {session_id} is damaged ({problem}); begin a new session.",
    )
