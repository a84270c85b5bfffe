"""A track's audio between a room and a session: nothing lost, gaps and mutes as silence."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maie_client import Client
from maie_livekit.feed import MUTE_GRACE_SECONDS, TrackFeed
from maie_livekit.timeline import LEAST_GAP_SECONDS, MOST_BEHIND_SECONDS
from tests.client.live.fake_live import live_gateway
from tests.livekit.memory_room import FRAME_SECONDS, frame, track, word_of
from tests.livekit.transcribing import truth_of
from tests.properties import examples

pytestmark = pytest.mark.unit


@dataclass(frozen=True)
class Step:
    """Something that happens to a track, so many tenths of a second after the last."""

    what: str
    tenths: int


STEPS = st.builds(
    Step, st.sampled_from(["audio", "audio", "audio", "mute", "unmute", "tick"]), st.integers(1, 30)
)


async def sent(feed: TrackFeed) -> tuple[list[str], float]:
    """What a session gets of a feed that has ended: the words, and all seconds."""
    truth = truth_of()
    async with live_gateway(truth) as address, Client(address) as client, client.live() as session:
        last = await feed.carry(session)
        await session.end()
    assert last == len(truth.received) - 1  # and the end of the session
    words, seconds = [], 0.0
    for request in truth.received:
        if request.HasField("audio"):
            words.append(word_of(request.audio.content))
            seconds += FRAME_SECONDS
        elif request.HasField("silence"):
            assert request.silence.duration.ToTimedelta().total_seconds() > 0
            seconds += request.silence.duration.ToTimedelta().total_seconds()
    return words, seconds


@settings(max_examples=examples(200), deadline=None)
@given(st.lists(STEPS, max_size=30), st.booleans())
async def test_all_audio_is_sent_and_all_time_is_accounted_for(
    steps: list[Step], begins_muted: bool
) -> None:
    feed = TrackFeed(track("a", muted=begins_muted), 0.0)
    now, expected = 0.0, []
    muted_since = -1.0 if begins_muted else None
    for number, step in enumerate(steps):
        now = round(now + step.tenths / 10, 1)
        match step.what:
            case "audio":
                word = f"{number:04}"
                feed.audio(frame(word), now)
                if muted_since is None or now < muted_since + MUTE_GRACE_SECONDS:
                    expected.append(word)
            case "tick":
                feed.fill(now)
            case what:
                feed.mute(what == "mute", now)
                if what == "unmute":
                    muted_since = None
                elif muted_since is None:
                    muted_since = now
    feed.fill(now)
    feed.end()
    words, seconds = await sent(feed)
    assert words == expected
    assert seconds <= now + 1e-4
    assert seconds > now - MOST_BEHIND_SECONDS


async def test_a_burst_after_a_gap_is_sent_whole_and_makes_up_for_it() -> None:
    feed = TrackFeed(track("a"), 0.0)
    feed.fill(1.0)  # nothing came
    for number in range(10):  # then all at once
        feed.audio(frame(f"{number:04}"), 1.0)
    feed.fill(1.0 + LEAST_GAP_SECONDS)
    feed.end()
    words, seconds = await sent(feed)
    assert len(words) == 10
    assert seconds == pytest.approx(2.0)  # 1 s ahead: the next gap is shorter by that


async def test_what_a_mesh_does_not_take_for_long_becomes_silence_and_is_counted() -> None:
    feed = TrackFeed(track("a"), 0.0, most_waiting=10.0)
    count = round(15 / FRAME_SECONDS)
    for number in range(count):
        feed.audio(frame(f"{number:04}"), (number + 1) * FRAME_SECONDS)
    feed.end()
    assert feed.dropped_seconds == pytest.approx(5.0, abs=2 * FRAME_SECONDS)
    words, seconds = await sent(feed)
    assert words == [f"{number:04}" for number in range(len(words))]
    assert len(words) * FRAME_SECONDS == pytest.approx(10.0, abs=0.2)
    assert seconds == pytest.approx(count * FRAME_SECONDS)
