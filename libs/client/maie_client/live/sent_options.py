"""The options that a session has now."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import Message

from maie.live.v1 import live_pb2 as live


class SentOptions:
    """The changes of options that were sent, merged; each new call begins with them."""

    def __init__(self) -> None:
        self._of_all: live.ConfigureSession | None = None
        self._of_tracks: dict[str, live.ConfigureSession] = {}

    def change(self, change: live.ConfigureSession) -> None:
        """Merges a change. One of all tracks holds for those with options of their own, too."""
        if change.HasField("track"):
            own = live.ConfigureSession(track=change.track)
            _merge(self._of_tracks.setdefault(change.track, own), change)
            return
        self._of_all = self._of_all or live.ConfigureSession()
        for options in (self._of_all, *self._of_tracks.values()):
            _merge(options.options, change.options)

    def requests(self) -> list[live.TranscribeRequest]:
        """The messages that give them to a new call."""
        changes = ([self._of_all] if self._of_all else []) + list(self._of_tracks.values())
        return [live.TranscribeRequest(configure=change) for change in changes]


def _merge(options: Message, change: Message) -> None:
    """Sets what the change sets. Lists and durations are replaced, not joined."""
    for field, value in change.ListFields():
        inner: Any = getattr(options, field.name)
        if field.is_repeated:
            options.ClearField(field.name)
            getattr(options, field.name).MergeFrom(value)
        elif field.message_type is None:
            setattr(options, field.name, value)
        elif field.message_type.full_name.startswith("maie."):
            inner.SetInParent()
            _merge(inner, value)
        else:
            inner.CopyFrom(value)
