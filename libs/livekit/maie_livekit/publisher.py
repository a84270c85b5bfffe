"""Shows what is said to the participants of a room."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from maie.live.v1 import live_pb2 as live
from maie_livekit.room import Caption, PublishError, Room
from maie_livekit.speakers import Speakers

# While a room reconnects it takes no text; the session must not wait for it.
PUBLISH_SECONDS = 5.0


class Publisher:
    """Publishes partials, finals and refinements of a session to a room.

    Text that a room does not take is left out: the session's job has it.

    Args:
        room: The room.
        speakers: Who speaks on which track.
        session_id: The session; makes the ids of utterances unique in the room.
        note: Called with a sentence for people when the room begins to take no text.
    """

    def __init__(
        self, room: Room, speakers: Speakers, session_id: str, note: Callable[[str], None]
    ) -> None:
        self._room = room
        self._speakers = speakers
        self._session_id = session_id
        self._note = note
        self._fails = False
        self._shown: set[str] = set()  # utterances whose final replaces a partial

    async def take(self, event: live.TranscribeResponse) -> None:
        """Publishes an event that has text."""
        if (caption := self._caption(event)) is None:
            return
        try:
            async with asyncio.timeout(PUBLISH_SECONDS):
                await self._room.publish(caption)
        except (PublishError, TimeoutError) as error:
            if not self._fails:
                self._note(f"the room takes no text: {error or 'no answer'}")
            self._fails = True
        else:
            self._fails = False

    def _caption(self, event: live.TranscribeResponse) -> Caption | None:
        match event.WhichOneof("event"):
            case "partial":
                return self._partial(event.partial)
            case "final":
                return self._final(event.final)
            case "refinement":
                refined = event.refinement
                return self._of(refined.track, refined.utterance_id, refined.clean_text, final=True)
            case _:
                return None

    def _partial(self, partial: live.Partial) -> Caption | None:
        text = " ".join(f"{partial.stable_text} {partial.unstable_text}".split())
        if not text:
            return None
        self._shown.add(partial.utterance_id)
        return self._of(partial.track, partial.utterance_id, text, final=False)

    def _final(self, final: live.Final) -> Caption | None:
        """The caption of a final; None where nothing was said, and nothing shown."""
        utterance = final.segment.segment_id
        if not final.segment.text and utterance not in self._shown:
            return None
        self._shown.discard(utterance)
        return self._of(final.track, utterance, final.segment.text, final=True)

    def _of(self, track_id: str, utterance: str, text: str, *, final: bool) -> Caption | None:
        track = self._speakers.track(track_id)
        if track is None:
            return None
        return Caption(
            track_id=track_id,
            identity=track.identity,
            segment_id=f"{self._session_id}-{utterance}",
            text=text,
            final=final,
        )
