"""The messages of a track that are not durable yet, so that they can be sent to another replica."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import dropwhile, takewhile

from maie_core.samples import SAMPLE_BYTES
from maie_gateway.live.marks import Mark

# The longest audio of one message to a replica, in samples.
MOST_AUDIO = 16_000


@dataclass(kw_only=True, frozen=True, slots=True)
class Item:
    """What one message about a track became, or a part of it.

    Attributes:
        sequence: The message's own.
        begin: Where it begins for the replica, in samples of the track.
        end: Where the message after it begins, in samples of the track.
        pcm: Its audio; up to 2 ms of it may be in the next item.
        silence: How many samples of silence it stands for.
        finalize: Whether it ends the utterance.
        arrived: When it arrived, by the monotonic clock.
        last: Whether the message ends with it.
        state: What decodes the message after it; see `Mark`.
    """

    sequence: int
    begin: int
    end: int
    pcm: bytes = b""
    silence: int = 0
    finalize: bool = False
    arrived: float = 0.0
    last: bool = True
    state: bytes = b""


class Backlog:
    """Keeps the messages after a track's mark, in order, and where they were sent up to.

    Args:
        mark: Where the track goes on.

    Attributes:
        mark: The last mark.
        received: The sequence of the last message.
        position: Where the next message begins, in samples.
        given: Where the next audio begins for the replica, in samples.
        held: How many samples of audio are kept.
    """

    def __init__(self, mark: Mark) -> None:
        self.mark = mark
        self.received = mark.sequence
        self.position = self.given = mark.position
        self.held = 0
        self._items: deque[Item] = deque()
        self._sent = 0

    def add(
        self,
        sequence: int,
        length: int,
        *,
        pcm: bytes = b"",
        silence: int = 0,
        finalize: bool = False,
        arrived: float = 0.0,
        last: bool = True,
        state: bytes = b"",
    ) -> None:
        """Adds a message, or a part of it.

        Args:
            sequence: Its sequence, one after the last, or the same for a further part.
            length: How long it is, in samples.
            pcm: The audio that it gives, or brings from before.
            silence: The silence that it stands for, after the audio.
            finalize: Whether it ends the utterance.
            arrived: When it arrived.
            last: Whether the message ends with it.
            state: What decodes the message after it.
        """
        begin, count = self.given, len(pcm) // SAMPLE_BYTES
        self.received = sequence
        self.position += length
        self.given += count + silence
        self.held += count
        self._items.append(
            Item(
                sequence=sequence,
                begin=begin,
                end=self.position,
                pcm=pcm,
                silence=silence,
                finalize=finalize,
                arrived=arrived,
                last=last,
                state=state,
            )
        )

    def next_mark(self, settled: int, next_utterance: int) -> Mark:
        """The mark where everything up to a place is settled.

        Args:
            settled: The place, in samples.
            next_utterance: The number of the next utterance.
        """
        last = next(iter(reversed(list(self._ended(settled)))), None)
        before = self.mark
        if last is not None and not self._is_durable(last):
            before = replace(before, sequence=last.sequence, position=last.end, state=last.state)
        return before.with_finals(settled, next_utterance)

    def until(self, mark: Mark) -> Iterator[Item]:
        """The items that a mark makes durable, in order."""
        after = dropwhile(self._is_durable, self._items)
        return takewhile(lambda item: item.sequence <= mark.sequence, after)

    def settle(self, mark: Mark) -> None:
        """Takes a stored mark, and drops what it makes durable.

        What was not sent stays until then: the replica begins there.
        """
        self.mark = mark
        while self._sent and self._items and self._is_durable(self._items[0]):
            self._drop_first()
            self._sent -= 1

    def skip(self) -> None:
        """Drops everything, as nobody hears it."""
        self.settle(self.next_mark(self.position, 0))
        self.rewind()

    @property
    def begin(self) -> int:
        """Where a replica begins that gets everything which is kept."""
        return self._items[0].begin if self._items else self.given

    def rewind(self) -> None:
        """Everything that is not durable is to be sent again."""
        self._sent = 0
        while self._items and self._is_durable(self._items[0]):
            self._drop_first()

    def unsent(self) -> Iterator[Item]:
        """Takes the items that were not sent, small ones with audio together."""
        while self._sent < len(self._items):
            first = self._items[self._sent]
            self._sent += 1
            pcm = [first.pcm]
            size, last = len(first.pcm), first
            while _is_audio(last) and self._sent < len(self._items):
                following = self._items[self._sent]
                size += len(following.pcm)
                if size > MOST_AUDIO * SAMPLE_BYTES:
                    break
                pcm.append(following.pcm)
                self._sent += 1
                last = following
            yield replace(last, begin=first.begin, pcm=b"".join(pcm))

    @property
    def holds_any(self) -> bool:
        """Whether any message is not durable yet."""
        return bool(self._items)

    def arrived(self, place: int) -> float | None:
        """When the audio before a place arrived; None where it is not kept."""
        index = bisect_left(self._items, place, key=lambda item: item.end)
        return self._items[index].arrived if index < len(self._items) else None

    def _is_durable(self, item: Item) -> bool:
        return item.sequence <= self.mark.sequence

    def _drop_first(self) -> None:
        self.held -= len(self._items.popleft().pcm) // SAMPLE_BYTES

    def _ended(self, place: int) -> Iterator[Item]:
        for item in self._items:
            if item.end > place:
                return
            if item.last:
                yield item


def _is_audio(item: Item) -> bool:
    return not item.silence and not item.finalize
