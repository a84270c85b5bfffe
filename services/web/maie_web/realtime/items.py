"""From a live session's events to items: their beginning, their text, and that they are done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Protocol

from maie.asr.v1 import streaming_pb2 as streaming
from maie.live.v1 import live_pb2 as live
from maie_core.durations import seconds

Event = dict[str, Any]
TRANSCRIPTION = "conversation.item.input_audio_transcription"


@dataclass(kw_only=True, slots=True)
class Item:
    """An item of the conversation.

    Attributes:
        id: Its id.
        said: The text that the client has of it.
        texts: The text of each of its utterances that has its final.
        seconds: How much audio it has.
        committed: Whether the client has its `committed`.
    """

    id: str
    said: str = ""
    texts: list[str] = field(default_factory=list)
    seconds: float = 0.0
    committed: bool = False

    def grow(self, following: str) -> Iterator[Event]:
        """Adds what is new in its text and a following one; nothing where what was said changed."""
        text = " ".join(each for each in (*self.texts, following) if each)
        if len(text) > len(self.said) and text.startswith(self.said):
            delta = text[len(self.said) :]
            self.said = text
            yield self._event("delta", delta=delta)

    def completed(self) -> Event:
        """Its whole text."""
        transcript = " ".join(each for each in self.texts if each)
        usage = {"type": "duration", "seconds": self.seconds}
        return self._event("completed", transcript=transcript, usage=usage)

    def failed(self, error: Event) -> Event:
        """Why it has no text."""
        return self._event("failed", error=error)

    def _event(self, kind: str, **fields: Any) -> Event:
        return {
            "type": f"{TRANSCRIPTION}.{kind}",
            "item_id": self.id,
            "content_index": 0,
            **fields,
        }


class Ledger:
    """The items of a connection, in order.

    Args:
        session_id: The live session.
        item_events: The events that show an item.
    """

    def __init__(self, session_id: str, item_events: tuple[str, ...]) -> None:
        self._session_id = session_id
        self._item_events = item_events
        self._numbers = count(1)
        self._last: str | None = None

    def item(self) -> Item:
        """A new item."""
        return Item(id=f"item_{self._session_id}_{next(self._numbers)}")

    def commit(self, item: Item) -> Iterator[Event]:
        """Makes an item one of the conversation."""
        previous, self._last = self._last, item.id
        item.committed = True
        yield {
            "type": "input_audio_buffer.committed",
            "item_id": item.id,
            "previous_item_id": previous,
        }
        content = [{"type": "input_audio", "transcript": None}]
        shown = {
            "id": item.id,
            "object": "realtime.item",
            "type": "message",
            "status": "completed",
            "role": "user",
            "content": content,
        }
        for kind in self._item_events:
            yield {"type": kind, "previous_item_id": previous, "item": shown}


class Buffer(Protocol):
    """Makes items of the events of one track, which is the audio up to a commit or a clear.

    Attributes:
        taken: How much of its audio is in items already, in seconds.
    """

    taken: float

    def place(self, begin: float) -> Iterator[Event]:
        """Takes where the track begins, in seconds of the session."""

    def commit(self, seconds: float) -> Iterator[Event]:
        """The client ends an item here, after so much audio."""

    def clear(self) -> None:
        """The client drops what is no item yet."""

    def turn(self, turn: live.Turn) -> Iterator[Event]:
        """An utterance begins or ends."""

    def partial(self, partial: live.Partial) -> Iterator[Event]:
        """The text of an utterance so far."""

    def final(self, final: live.Final) -> Iterator[Event]:
        """The text of an utterance."""

    def settle(self) -> Iterator[Event]:
        """The track has ended, and all of its finals came."""

    def fail(self, error: Event) -> Iterator[Event]:
        """The track goes no further."""


class CommittedBuffer:
    """One item, which the client commits, however many utterances it has."""

    taken = 0.0

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._item = ledger.item()
        self._over = False

    def place(self, begin: float) -> Iterator[Event]:
        """Times do not matter."""
        del begin
        yield from ()

    def commit(self, seconds: float) -> Iterator[Event]:
        """The item ends here."""
        self._item.seconds = seconds
        yield from self._ledger.commit(self._item)

    def clear(self) -> None:
        """There will be no item."""
        self._over = True

    def turn(self, turn: live.Turn) -> Iterator[Event]:
        """Utterances do not matter."""
        del turn
        yield from ()

    def partial(self, partial: live.Partial) -> Iterator[Event]:
        """What is new in the text."""
        if not self._over:
            yield from self._item.grow(partial.stable_text)

    def final(self, final: live.Final) -> Iterator[Event]:
        """What is new in the text; the end of the track ends the item."""
        if self._over:
            return
        self._item.texts.append(final.segment.text)
        yield from self._item.grow("")
        if final.reason == streaming.END_REASON_TRACK_END:
            yield from self.settle()

    def settle(self) -> Iterator[Event]:
        """The item is done."""
        if not self._over:
            self._over = True
            yield self._item.completed()

    def fail(self, error: Event) -> Iterator[Event]:
        """The item has failed, where it is one."""
        if not self._over and self._item.committed:
            yield self._item.failed(error)
        self._over = True


class SpokenTurns:
    """An item for each utterance, and one for what the client commits.

    Args:
        ledger: The items of the connection.
        before: The audio before this track, in seconds.
    """

    def __init__(self, ledger: Ledger, before: float) -> None:
        self.taken = 0.0
        self._ledger = ledger
        self._before = before
        self._begin: float | None = None
        self._items: dict[str, Item] = {}
        self._awaits_item = False
        self._cleared = False
        # What came before the gateway said where the track begins, so that times are known.
        self._held: list[tuple[Any, Any]] = []

    def place(self, begin: float) -> Iterator[Event]:
        """Takes where the track begins, in seconds of the session."""
        if self._begin is None:
            self._begin = begin
            held, self._held = self._held, []
            for take, message in held:
                yield from take(message)

    def commit(self, seconds: float) -> Iterator[Event]:
        """The last utterance of the track is the item; where there is none, an empty one."""
        del seconds
        self._awaits_item = True
        yield from ()

    def clear(self) -> None:
        """Utterances that are no items yet will be none."""
        self._cleared = True

    def turn(self, turn: live.Turn) -> Iterator[Event]:
        """An utterance begins or ends."""
        if self._holds(self.turn, turn) or self._cleared:
            return
        place = seconds(turn.offset)
        if turn.event == streaming.TURN_EVENT_STARTED:
            yield from self._started(turn.utterance_id, place)
        elif turn.event == streaming.TURN_EVENT_ENDED:
            yield from self._ended(turn.utterance_id, place)

    def partial(self, partial: live.Partial) -> Iterator[Event]:
        """What is new in the text of an utterance."""
        if self._holds(self.partial, partial) or self._cleared:
            return
        yield from self._started(partial.utterance_id, seconds(partial.range.start_offset))
        yield from self._items[partial.utterance_id].grow(partial.stable_text)

    def final(self, final: live.Final) -> Iterator[Event]:
        """The text of an utterance, whose item is done."""
        if self._holds(self.final, final):
            return
        segment = final.segment
        known = self._items.get(segment.segment_id)
        if self._cleared and not (known and known.committed):
            return
        begin, end = seconds(segment.start_offset), seconds(segment.end_offset)
        yield from self._started(segment.segment_id, begin)
        yield from self._ended(segment.segment_id, end)
        item = self._items.pop(segment.segment_id)
        item.seconds = end - begin
        item.texts.append(segment.text)
        if final.reason == streaming.END_REASON_TRACK_END:
            self._awaits_item = False
        yield from item.grow("")
        yield item.completed()

    def settle(self) -> Iterator[Event]:
        """What was committed without speech is an empty item."""
        if self._held:
            # The track was too short for its beginning to be heard of.
            first = self._held[0][1]
            yield from self.place(_place_of(first))
        if self._awaits_item:
            self._awaits_item = False
            item = self._ledger.item()
            yield from self._ledger.commit(item)
            yield item.completed()

    def fail(self, error: Event) -> Iterator[Event]:
        """Items that have no text have failed."""
        for item in self._items.values():
            if item.committed:
                yield item.failed(error)
        self._items.clear()
        self._cleared = True

    def _holds(self, take: Any, message: Any) -> bool:
        if self._begin is None:
            self._held.append((take, message))
        return self._begin is None

    def _started(self, utterance: str, place: float) -> Iterator[Event]:
        if utterance not in self._items:
            item = self._items[utterance] = self._ledger.item()
            yield {
                "type": "input_audio_buffer.speech_started",
                "audio_start_ms": self._milliseconds(place),
                "item_id": item.id,
            }

    def _ended(self, utterance: str, place: float) -> Iterator[Event]:
        item = self._items.get(utterance)
        if item is not None and not item.committed:
            yield {
                "type": "input_audio_buffer.speech_stopped",
                "audio_end_ms": self._milliseconds(place),
                "item_id": item.id,
            }
            self.taken = place - (self._begin or 0.0)
            yield from self._ledger.commit(item)

    def _milliseconds(self, place: float) -> int:
        """A place of the session in the audio of the connection."""
        return round(1000 * max(0.0, place - (self._begin or 0.0) + self._before))


def _place_of(message: live.Turn | live.Partial | live.Final) -> float:
    match message:
        case live.Turn():
            return seconds(message.offset)
        case live.Partial():
            return seconds(message.range.start_offset)
    return seconds(message.segment.start_offset)
