"""The tracks of a session while a gateway has it: each message goes to its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import structlog

from maie.live.v1 import live_pb2 as live
from maie.live.v1 import session_pb2 as session
from maie_core.errors import Code, StageError, invalid
from maie_core.reasons import Reason
from maie_gateway.live.breaks import internal
from maie_gateway.live.config import check_change, check_track, settled_join, track_invalid
from maie_gateway.live.marks import Mark
from maie_gateway.live.state import SessionState
from maie_gateway.live.tracks.pending import PendingMessages
from maie_gateway.live.tracks.track import LiveTrack, track_progress
from maie_gateway.live.tracks.track_tools import TrackTools
from maie_runtime.background import end

log = structlog.get_logger()

Failed = Callable[[LiveTrack, StageError], None]

# Reasons that say nothing of a track's audio.
_NO_REPLICA = frozenset({Reason.LIVE_BUSY, Reason.LIVE_UNAVAILABLE})


class Roster:
    """The tracks of a session.

    Args:
        tools: What the tracks share.
        failed: Called with a track that could not be recognised, and why.

    Attributes:
        pending: The messages that are not durable.
        unheard: Why no replica took a track that was dropped; None where none was.
    """

    def __init__(self, tools: TrackTools, failed: Failed) -> None:
        self.pending = PendingMessages()
        self.unheard: StageError | None = None
        self._tools = tools
        self._failed = failed
        self._tracks: dict[str, LiveTrack] = {}
        self._running: dict[asyncio.Task[None], LiveTrack] = {}
        self._ended: set[str] = set()
        # Tracks that failed: their messages are dropped in this call.
        self._dropped: set[str] = set()
        self._reported: dict[str, live.TrackProgress] = {}

    @property
    def places(self) -> int:
        """How many tracks it has; each channel that is recognised is one."""
        # A copy, since metrics are read in a thread of their own.
        return sum(track.places for track in tuple(self._running.values()))

    def goes_on_without(self, failed: LiveTrack, error: StageError) -> bool:
        """Whether other tracks go on, where one failed.

        Where it failed by its own audio, these are also the ones that look for another replica: it
        may have cost them theirs.
        """
        others = [track for track in self._running.values() if track is not failed]
        if error.reason in _NO_REPLICA:
            return any(track.is_heard for track in others)
        return any(track.was_heard for track in others)

    def drop(self, track: LiveTrack, error: StageError) -> None:
        """Goes on without a track that failed."""
        self._dropped.add(track.name)
        self.pending.drop(track.name)
        if error.reason in _NO_REPLICA:
            self.unheard = error

    async def take(self, request: live.TranscribeRequest) -> None:
        """Takes a message about a track, or drops it where it came before.

        Raises:
            StageError: INVALID_ARGUMENT with AUDIO_SEQUENCE_GAP, AUDIO_PART_INVALID,
                AUDIO_FORMAT_INVALID or TRACK_INVALID, or FAILED_PRECONDITION with TRACKS_FULL.
        """
        kind = request.WhichOneof("request")
        message = getattr(request, kind or "")
        if message.track in self._dropped or not self._is_next(message.track, message.sequence):
            return
        if kind == "join":
            self._join(message)
        else:
            await self._pass_on(kind, message)
        if message.track not in self._dropped:
            self.pending.add(message.track, message.sequence, request)

    async def _pass_on(self, kind: str | None, message: Any) -> None:
        track = self._tracks.get(message.track) or self._begun(message)
        await track.room()
        match kind:
            case "audio":
                track.audio(message)
            case "silence":
                track.silence(message)
            case "finalize":
                track.finalize(message)
            case "leave":
                self._tracks.pop(message.track, None)
                track.leave(message.sequence)

    async def configure(self, change: live.ConfigureSession) -> None:
        """Changes options, from the next utterances on.

        Raises:
            StageError: INVALID_ARGUMENT naming the invalid field, or as `Ledger.commit`.
        """
        check_change(change)
        self._tools.replicas.check(change.options, "configure.options")
        await self._tools.ledger.commit(lambda _: session.SessionEntry(configured=change))
        for track in self._running.values():
            if not change.HasField("track") or change.track == track.name:
                track.configure(change.options)

    def close(self) -> None:
        """Ends all tracks in this call."""
        for track in self._tracks.values():
            track.close()

    async def finished(self) -> None:
        """Waits until no track runs."""
        while self._running:
            await asyncio.wait(self._running)

    async def stop(self) -> None:
        """Stops all tracks at once; what is not durable is left to another call."""
        await end(*self._running)

    def news(self) -> list[live.TrackProgress]:
        """How far the tracks are that went on since the last time."""
        running = {track.name: track.acknowledged() for track in self._running.values()}
        now = {name: each for name, each in running.items() if each is not None}
        changed = [each for name, each in now.items() if self._reported.get(name) != each]
        self._reported = now
        # One that ended is durable to its last message, unless another of its name goes on.
        left = self._tools.ledger.state.left
        ended = {name for name in self._ended if name in left and name not in running}
        # The task of one that has just ended is there a moment longer.
        self._ended &= running.keys()
        return changed + [track_progress(name, Mark(sequence=left[name])) for name in ended]

    def _is_next(self, name: str, sequence: int) -> bool:
        """Whether a message is the next one of its track; False where it came before.

        Raises:
            StageError: INVALID_ARGUMENT with AUDIO_SEQUENCE_GAP or TRACK_INVALID.
        """
        received = self._received(name)
        if received is None:
            check_track(name)
            received = 0
        if sequence == received + 1:
            return True
        if 0 < sequence <= received:
            return False
        raise invalid(
            Reason.AUDIO_SEQUENCE_GAP,
            f"Message {sequence} of track {name!r} does not follow {received}; resume the session "
            "and send what is not acknowledged.",
            field="sequence",
        )

    def _received(self, name: str) -> int | None:
        """The last message about a track; None where there was none."""
        if (track := self._tracks.get(name)) is not None:
            return track.received
        leaving = [each.received for each in self._running.values() if each.name == name]
        if leaving:
            return max(leaving)
        state = self._tools.ledger.state
        if (known := state.tracks.get(name)) is not None:
            return known.mark.sequence
        return state.left.get(name)

    def _join(self, join: live.TrackJoin) -> None:
        state = self._tools.ledger.state
        if join.track in self._tracks or (
            join.track in state.tracks and not self._is_leaving(join.track)
        ):
            raise track_invalid(
                f"Track {join.track!r} has begun already; name it before its first audio."
            )
        self._add(LiveTrack(settled_join(join, state.opened.config), None, self._tools))

    def _begun(self, message: live.TrackAudio) -> LiveTrack:
        """The track of a message that is the first one in this call."""
        state = self._tools.ledger.state
        known = state.tracks.get(message.track)
        if known is not None and not self._is_leaving(message.track):
            return self._add(LiveTrack(known.join, known, self._tools))
        # Everything before its first message is durable: there is nothing, or it has ended.
        join = live.TrackJoin(track=message.track, sequence=message.sequence - 1)
        return self._add(LiveTrack(settled_join(join, state.opened.config), None, self._tools))

    def _is_leaving(self, name: str) -> bool:
        return any(track.name == name and track.leaves for track in self._running.values())

    def _add(self, track: LiveTrack) -> LiveTrack:
        most = self._tools.settings.max_tracks
        places = self.places
        if places + track.places > most:
            raise StageError(
                Code.FAILED_PRECONDITION,
                Reason.TRACKS_FULL,
                f"The session may have {most} tracks at a time, of which {places} are taken, and "
                f"track {track.name!r} needs {track.places}; end one first.",
            )
        before = [task for task, other in self._running.items() if other.name == track.name]
        running = asyncio.create_task(self._run(track, before))
        self._tracks[track.name] = track
        self._running[running] = track
        running.add_done_callback(lambda _: self._running.pop(running, None))
        return track

    async def _run(self, track: LiveTrack, before: list[asyncio.Task[None]]) -> None:
        """Runs a track, after an earlier one of its name has ended."""
        if before:
            await asyncio.wait(before)
        if track.name in self._dropped:
            return
        try:
            await track.run()
            if track.leaves:
                self._ended.add(track.name)
        except StageError as error:
            self._failed(track, error)
        except Exception as error:
            log.error("live.track_broken", track=track.name, exc_info=error)
            self._failed(track, internal())
        finally:
            if self._tracks.get(track.name) is track:
                del self._tracks[track.name]


def progress(state: SessionState) -> Iterator[live.TrackProgress]:
    """How far the tracks of a session are: also those that ended."""
    for name, track in state.tracks.items():
        yield track_progress(name, track.mark, begin=track.offset)
    for name, last in state.left.items():
        yield track_progress(name, Mark(sequence=last))
