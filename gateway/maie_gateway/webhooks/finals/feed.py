"""Feeds, and the deliveries that they consist of. Pure: no I/O, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from maie.event.v1 import event_pb2 as event
from maie.live.v1 import session_pb2 as session
from maie_runtime.bus import subjects


@dataclass(kw_only=True, frozen=True, slots=True)
class Feed:
    """The finals of one track for one receiver.

    Attributes:
        session_id: The session.
        receiver: The receiver, as a delivery names it.
        track: The track's number in the session, from 1.
    """

    session_id: str
    receiver: str
    track: int

    @classmethod
    def of_subject(cls, subject: str) -> Self | None:
        """The feed that a note is about; None where the subject names none."""
        *_, session_id, receiver, track = subject.split(".")
        if not (track.isascii() and track.isdecimal()):
            return None
        return cls(session_id=session_id, receiver=receiver, track=int(track))

    @property
    def subject(self) -> str:
        """Where its notes are."""
        return subjects.final(self.session_id, self.receiver, self.track)

    @property
    def key(self) -> str:
        """The key of its position."""
        return subjects.feed(self.session_id, self.receiver, self.track)

    def has(self, entry: session.SessionEntry) -> bool:
        """Whether an entry of the session's log is a final of the feed."""
        return entry.HasField("finished") and entry.finished.mark.number == self.track


def final_delivery(
    feed: Feed, tenant: str, url: str, entry: session.SessionEntry
) -> event.WebhookDelivery:
    """The delivery of a final: the same, with the same id, however often it is made.

    Args:
        feed: The feed.
        tenant: The session's tenant.
        url: The receiver's URL.
        entry: The entry of the log.
    """
    final = entry.finished.final
    delivery = event.WebhookDelivery(
        job_id=feed.session_id,
        tenant=tenant,
        receiver=feed.receiver,
        url=url,
        event_id=f"{feed.session_id}/{final.segment.segment_id}",
        finish_time=entry.entry_time,
        attempt=1,
    )
    delivery.final.Pack(final)
    return delivery
