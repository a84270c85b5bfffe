"""Who speaks on which track."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping

from maie_livekit.room import AudioTrack

# The last finals of a track come after it has left.
MOST_GONE = 200


class Speakers(Mapping[str, str]):
    """The names of speakers by track: those who are there, and the last who left."""

    def __init__(self) -> None:
        self._present: dict[str, AudioTrack] = {}
        self._gone: OrderedDict[str, AudioTrack] = OrderedDict()

    def add(self, track: AudioTrack) -> None:
        """Adds a track."""
        self._gone.pop(track.track_id, None)
        self._present[track.track_id] = track

    def remove(self, track_id: str) -> None:
        """Notes that a track has left."""
        if (track := self._present.pop(track_id, None)) is not None:
            self._gone[track_id] = track
            while len(self._gone) > MOST_GONE:
                self._gone.popitem(last=False)

    def track(self, track_id: str) -> AudioTrack | None:
        """A track; None where nothing is known of it any more."""
        return self._present.get(track_id) or self._gone.get(track_id)

    def __getitem__(self, track_id: str) -> str:
        if (track := self.track(track_id)) is None:
            raise KeyError(track_id)
        return track.display_name

    def __iter__(self) -> Iterator[str]:
        yield from self._present
        yield from self._gone

    def __len__(self) -> int:
        return len(self._present) + len(self._gone)
