"""A channel gets its own samples of a track, and none of those that it had."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maie_audio.formats import Part
from maie_gateway.live.marks import Mark
from maie_gateway.live.recognition.backlog import MOST_AUDIO, Backlog
from maie_gateway.live.tracks.channel_feed import ChannelFeed, Taken

pytestmark = pytest.mark.unit

CHANNELS = 3
# Messages of the track from its mark on: how long, and whether silence.
MESSAGES = st.lists(
    st.tuples(st.integers(1, 2 * MOST_AUDIO), st.booleans()), min_size=1, max_size=8
)


@given(messages=MESSAGES, had=st.integers(0, 8), late=st.integers(0, 32))
def test_a_channel_that_is_further_gets_the_rest(
    messages: list[tuple[int, bool]], had: int, late: int
) -> None:
    had = min(had, len(messages))
    lengths = [length for length, _ in messages]
    begin = Mark(sequence=4, position=100, settled=100)
    place = 100 + sum(lengths[:had])
    backlog = Backlog(Mark(sequence=4 + had, position=place, settled=place))
    feed = ChannelFeed([backlog], 1, CHANNELS, begin, lambda _, __: None)
    numbers = np.arange(sum(lengths), dtype="<i4").astype("<i2")
    sound = np.stack([numbers * 0, numbers, numbers * 0], axis=1)
    silent = np.concatenate([np.full(length, is_silent) for length, is_silent in messages])
    sound[silent] = 0
    given_up_to = 0
    for sequence, (end, (length, is_silent)) in enumerate(
        zip(np.cumsum(lengths), messages, strict=True), start=5
    ):
        parts: list[Part]
        if is_silent:
            parts = [sound[given_up_to : end - length].tobytes(), length]
            given_up_to = end
        else:
            # The resampler holds some samples back until the next message.
            ready = max(given_up_to, end - late)
            parts = [sound[given_up_to:ready].tobytes()]
            given_up_to = ready
        feed.add(
            Taken(
                sequence=sequence,
                arrived=0.0,
                parts=parts,
                length=length,
                finalize=False,
                state=b"%d" % sequence,
            )
        )
    items = list(backlog.unsent())
    heard = np.concatenate(
        [np.empty(0, "<i2")]
        + [
            np.concatenate([np.frombuffer(item.pcm, "<i2"), np.zeros(item.silence, "<i2")])
            for item in items
        ]
    )
    first = sum(lengths[:had])
    assert np.array_equal(heard, sound[first:given_up_to, 1]) or len(heard) == 0
    assert len(heard) == max(given_up_to - first, 0)
    assert backlog.position == 100 + sum(lengths)
    assert all(len(item.pcm) <= 2 * MOST_AUDIO for item in items)
    assert [item.sequence for item in items if item.last] == sorted(
        {item.sequence for item in items if item.last}
    )
    whole = backlog.next_mark(backlog.position, 1)
    assert whole.sequence == 4 + len(messages)
    if had < len(messages):
        assert whole.state == b"%d" % (4 + len(messages))
