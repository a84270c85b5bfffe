"""Transcribes LiveKit rooms: each audio track is a track of a live session.

`maie_livekit.sdk` joins real rooms, and needs the extra `sdk`; the rest knows only the
small interface of `maie_livekit.room`.
"""

from maie_livekit.room import Room
from maie_livekit.speakers import Speakers
from maie_livekit.transcriber import Transcriber

__all__ = ["Room", "Speakers", "Transcriber"]
