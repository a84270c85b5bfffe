"""What a page sends and gets: the contract's messages as JSON, and audio as it is."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from maie.live.v1 import live_pb2 as live
from maie_core.errors import StageError, invalid
from maie_core.reasons import Reason
from maie_formats.as_json import to_json
from maie_formats.from_json import from_dict
from maie_web.problems import ProblemDocument

# They name a track, and are counted for it.
OF_TRACKS = frozenset({"audio", "silence", "finalize", "join", "leave"})
_KINDS = tuple(field.name for field in live.TranscribeRequest.DESCRIPTOR.fields)


class Reader:
    """Reads the messages of a page.

    Audio that comes as it is belongs to the track that the last `join` or `audio` named; to ""
    before the first.
    """

    def __init__(self) -> None:
        self._track = ""

    def read(self, message: str | bytes) -> live.TranscribeRequest | None:
        """A message of the contract; None for one that only names the track of what follows.

        Raises:
            StageError: INVALID_ARGUMENT with REQUEST_UNREADABLE or FIELD_INVALID.
        """
        if isinstance(message, bytes):
            return live.TranscribeRequest(audio=live.TrackAudio(track=self._track, content=message))
        found = _parsed(message)
        kind = found.WhichOneof("request")
        if kind not in OF_TRACKS:
            return found
        about: Any = getattr(found, kind)
        if about.sequence:
            raise invalid(
                Reason.FIELD_INVALID,
                "Messages are counted here as they come; leave `sequence` out.",
                field="sequence",
            )
        if kind in ("audio", "join"):
            self._track = about.track
        return None if kind == "audio" and not about.content else found


def event_text(event: live.TranscribeResponse) -> str:
    """An event for a page."""
    return to_json(event)


def problem_text(document: ProblemDocument) -> str:
    """The last message of a connection that failed."""
    return json.dumps({"problem": asdict(document)}, ensure_ascii=False)


def _parsed(text: str) -> live.TranscribeRequest:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict) or len(values) != 1 or not values.keys() <= set(_KINDS):
        raise _unreadable(f"it is no object with one of {', '.join(_KINDS)}")
    try:
        found = from_dict(values, live.TranscribeRequest())
    except (ValueError, TypeError, RecursionError) as error:
        raise _unreadable(str(error)) from error
    if found.WhichOneof("request") is None:
        raise _unreadable("it is null")
    return found


def _unreadable(why: str) -> StageError:
    return invalid(
        Reason.REQUEST_UNREADABLE,
        f"A message cannot be read: {why}. Send TranscribeRequest as JSON, or audio as it is.",
    )
