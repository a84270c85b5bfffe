"""Tracks are mixed sample by sample, however they were stored, and FLAC gives the samples back."""

from __future__ import annotations

import io
from collections.abc import Sequence

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maie.common.v1 import types_pb2 as common
from maie.live.v1 import session_pb2 as session
from maie_core.samples import RATE, duration, nanoseconds
from maie_gateway.live.kept import mix
from maie_gateway.live.kept.flac import FlacEncoder, Samples
from maie_gateway.live.kept.parts import kept_tracks, length

pytestmark = pytest.mark.unit

# A window of the test's, so that few samples make many.
WINDOW = 100
Run = tuple[int, int, int]  # the gap before it, its length, its level
Part = list[Run]
Track = tuple[int, list[Part]]  # its offset in nanoseconds

runs = st.tuples(st.integers(0, 250), st.integers(1, 250), st.integers(-32768, 32767))
tracks_ = st.lists(
    st.tuples(st.integers(0, 20_000_000), st.lists(st.lists(runs, max_size=3), max_size=4)),
    max_size=4,
)


class Session:
    """The log and the stored parts of a session, and the sum of its tracks."""

    def __init__(self, tracks: Sequence[Track]) -> None:
        self.entries: list[session.SessionEntry] = []
        self.stored: dict[str, session.AudioPart] = {}
        self.sum = np.zeros(0, np.int64)
        for number, (offset, parts) in enumerate(tracks, start=1):
            began = session.TrackBegan(number=number, offset=nanoseconds(offset))
            self.entries.append(session.SessionEntry(track_began=began))
            place = 0
            for part in parts:
                place = self._add(number, round(offset * RATE / 1e9), part, place)

    def _add(self, number: int, begin: int, part: Part, place: int) -> int:
        made = session.AudioPart()
        for gap, count, level in part:
            place += gap
            sound = np.full(count, level, "<i2")
            made.runs.add(start_offset=duration(place), samples=sound.tobytes())
            self._lay(begin + place, sound)
            place += count
        self._lay(begin + place, np.zeros(0, "<i2"))
        key = f"part-{len(self.stored)}"
        self.stored[key] = made
        mark = session.TrackMark(number=number, message_offset=duration(place))
        if made.runs:
            mark.audio.key = key
        self.entries.append(session.SessionEntry(settled=session.TracksSettled(marks=[mark])))
        return place

    def _lay(self, place: int, sound: Samples) -> None:
        self.sum = np.pad(self.sum, (0, max(place + len(sound) - len(self.sum), 0)))
        self.sum[place : place + len(sound)] += sound

    async def read(self, blob: common.Blob) -> session.AudioPart:
        return self.stored.pop(blob.key)  # once each


@given(tracks_)
async def test_the_mix_is_the_sum_of_all_tracks(tracks: list[Track]) -> None:
    before, mix.WINDOW = mix.WINDOW, WINDOW
    try:
        talk = Session(tracks)
        kept = kept_tracks(talk.entries)
        begins = [each.begin for each in kept]
        windows = [window async for window in mix.mixed(kept, talk.read)]
    finally:
        mix.WINDOW = before
    found = np.concatenate(windows or [np.zeros(0, np.int16)])
    total = max([len(talk.sum), *begins])
    assert len(found) == total == length(kept)
    expected = np.pad(talk.sum, (0, total - len(talk.sum)))
    assert np.array_equal(found, np.clip(expected, -32768, 32767))
    assert not any(part.runs for part in talk.stored.values())  # all were read


@pytest.mark.parametrize("count", [1, 15, 16, 17, 1151, 1152, 1153, 50_000])
def test_flac_gives_back_what_was_written(count: int) -> None:
    sound = np.random.default_rng(count).integers(-32768, 32768, count).astype(np.int16)
    encoder = FlacEncoder(count)
    data = encoder.head()
    for place in range(0, count, 7001):
        data += encoder.encode(sound[place : place + 7001])
    data += encoder.finish()
    with av.open(io.BytesIO(data), "r", format="flac") as file:
        stream = file.streams.audio[0]
        assert (stream.rate, stream.channels, stream.duration) == (RATE, 1, count)
        found = np.concatenate([frame.to_ndarray()[0] for frame in file.decode(stream)])
    assert np.array_equal(found, sound)
