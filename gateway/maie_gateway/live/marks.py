"""How far a track is without risk of loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from maie.live.v1 import session_pb2 as session
from maie_core.samples import duration, samples


@dataclass(kw_only=True, frozen=True, slots=True)
class Mark:
    """A place in a track, or a channel of it, that a later call, at any gateway, can go on from.

    Attributes:
        sequence: The last message that need not be sent again.
        position: Where the message after it begins, in samples of the track.
        settled: Up to where speech has its finals, in samples; `position` or later.
        next_utterance: The number of the next utterance, from 1.
        state: What decodes the message after it; empty where the encoding needs nothing.
    """

    sequence: int = 0
    position: int = 0
    settled: int = 0
    next_utterance: int = 1
    state: bytes = b""

    def follows(self, before: Mark) -> bool:
        """Whether a track can come to this mark from another: nothing goes back."""
        return (
            self.sequence >= before.sequence
            and self.position >= before.position
            and self.settled >= max(before.settled, self.position)
            and self.next_utterance >= before.next_utterance
        )

    def with_finals(self, settled: int, next_utterance: int) -> Mark:
        """The mark once speech has its finals up to a place; nothing goes back."""
        return replace(
            self,
            settled=max(self.settled, settled),
            next_utterance=max(self.next_utterance, next_utterance),
        )


def least(marks: Sequence[Mark]) -> Mark:
    """The mark that a track goes on from whose channels are at these; there is one at least."""
    return min(marks, key=lambda mark: mark.sequence)


def to_message(mark: Mark, number: int, channel: int = 0) -> session.TrackMark:
    """The mark of a track, or of one of its channels, for the log."""
    return session.TrackMark(
        number=number,
        channel=channel,
        sequence=mark.sequence,
        message_offset=duration(mark.position),
        settled_offset=duration(mark.settled),
        next_utterance=mark.next_utterance,
        decoder_state=mark.state,
    )


def from_message(stored: session.TrackMark) -> Mark:
    """A mark from the log."""
    return Mark(
        sequence=stored.sequence,
        position=samples(stored.message_offset),
        settled=samples(stored.settled_offset),
        next_utterance=stored.next_utterance,
        state=stored.decoder_state,
    )
