"""A room from its first track to the end of its session."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maie_client import ClientError
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_livekit.room import ParticipantLeft, RoomError, TrackMuted
from maie_livekit.speakers import MOST_GONE
from tests.client.live.fake_live import BREAKS, SESSION_ID, UTTERANCE, Break, Truth
from tests.livekit.memory_room import MemoryRoom
from tests.livekit.transcribing import transcribing, truth_of
from tests.properties import examples
from tests.waiting import until

pytestmark = pytest.mark.unit


@dataclass(frozen=True)
class Step:
    """Something that happens in a room."""

    what: str
    track: str


TRACKS = {"a": "ann", "a2": "ann", "b": "bob"}
STEPS = st.builds(
    Step,
    st.sampled_from(["audio"] * 5 + ["subscribe", "subscribe", "unsubscribe", "left", "mute"]),
    st.sampled_from(sorted(TRACKS)),
)
PLAN = [
    Step("subscribe", "a"),
    *(Step("audio", "a"),) * 2,
    Step("subscribe", "a2"),
    Step("subscribe", "b"),
    Step("audio", "b"),
    Step("audio", "a2"),
    *(Step("audio", "a"),) * 2,
    Step("mute", "b"),
    Step("audio", "b"),
    Step("unsubscribe", "a"),
    Step("subscribe", "a"),
    Step("audio", "a"),
    Step("left", "a"),
    Step("audio", "a2"),
]


class Expected:
    """The finals of each track, step by step."""

    def __init__(self) -> None:
        self.finals: dict[str, list[str]] = {}
        self.present: set[str] = set()
        self.muted: set[str] = set()
        self.pending: dict[str, list[str]] = {}

    def finish(self, name: str) -> None:
        if words := self.pending.pop(name, []):
            self.finals.setdefault(name, []).append(" ".join(words))

    def leave(self, name: str) -> None:
        self.present.discard(name)
        self.finish(name)

    def say(self, name: str, word: str) -> None:
        if name not in self.present or name in self.muted:
            return
        self.pending.setdefault(name, []).append(word)
        if len(self.pending[name]) == UTTERANCE:
            self.finish(name)


def play(room: MemoryRoom, plan: list[Step]) -> dict[str, list[str]]:
    """Lets a plan happen in a room; gives the finals that must come of it."""
    expected = Expected()
    for number, step in enumerate(plan):
        name, identity = step.track, TRACKS[step.track]
        match step.what:
            case "subscribe":
                expected.leave(name)
                expected.present.add(name)
                expected.muted.discard(name)
                room.subscribe(name, identity)
            case "unsubscribe":
                expected.leave(name)
                room.unsubscribe(name)
            case "left":
                for other in [each for each in TRACKS if TRACKS[each] == identity]:
                    expected.leave(other)
                room.happen(ParticipantLeft(identity))
            case "mute":
                muted = name not in expected.muted
                if name in expected.present:
                    (expected.muted.add if muted else expected.muted.discard)(name)
                room.happen(TrackMuted(name, muted), after=0.0)
                room.happen(ParticipantLeft("nobody"), after=1.0)  # the grace is over
            case "audio":
                expected.say(name, f"{number:04}")
                room.say(name, f"{number:04}")
    for name in list(expected.pending):
        expected.finish(name)
    return expected.finals


async def transcribe(plan: list[Step], breaks: dict[int, Break]) -> Truth:
    """Transcribes a plan at two gateways whose calls break, and checks all that came of it."""
    truth = truth_of(breaks=breaks)
    async with transcribing(truth) as parts:
        finals = play(parts.room, plan)
        parts.room.stop()
        await parts.running
    assert truth.texts() == finals
    shown = parts.watching.finals()
    assert shown == [each.final.segment.text for each in truth.log if each.HasField("final")]
    final = [each for each in parts.room.captions if each.final]
    assert [each.text for each in final] == shown
    assert all(each.identity == TRACKS[each.track_id] for each in parts.room.captions)
    assert parts.session.kept_bytes == 0
    return truth


@pytest.mark.parametrize("how", BREAKS)
async def test_nothing_is_lost_or_doubled_wherever_one_call_breaks(how: Break) -> None:
    undisturbed = await transcribe(PLAN, {})
    assert len(undisturbed.starts) == 1
    for point in range(1, undisturbed.points + 1, 3):
        await transcribe(PLAN, {point: how})


@settings(
    max_examples=examples(120),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    plan=st.lists(STEPS, max_size=30),
    breaks=st.dictionaries(st.integers(3, 80), st.sampled_from(BREAKS), max_size=8),
)
async def test_nothing_is_lost_or_doubled_whatever_happens(
    plan: list[Step], breaks: dict[int, Break]
) -> None:
    await transcribe(plan, breaks)


async def test_a_thousand_joins_and_leaves_leave_nothing_behind() -> None:
    truth = truth_of()
    async with transcribing(truth) as parts:
        await until(lambda: parts.watching.events)
        tasks = len(asyncio.all_tasks())
        for number in range(1000):
            parts.room.subscribe(f"t{number}")
            parts.room.say(f"t{number}", f"{number:04}")
            parts.room.unsubscribe(f"t{number}")
            if number % 20 == 19:
                await until(lambda: len(parts.watching.finals()) == number + 1)  # noqa: B023
        await until(lambda: parts.transcriber.held == 0 and parts.session.kept_bytes == 0)
        assert len(parts.speakers) == MOST_GONE
        await until(lambda: len(asyncio.all_tasks()) <= tasks)
        parts.room.stop()
        await parts.running
    assert truth.texts() == {f"t{number}": [f"{number:04}"] for number in range(1000)}


async def test_a_muted_track_is_silence_and_its_frames_are_not_sent() -> None:
    truth = truth_of()
    async with transcribing(truth) as parts:
        parts.room.subscribe("a", muted=True)
        parts.room.happen(ParticipantLeft("nobody"), after=2.0)
        parts.room.say("a", "zero")
        parts.room.happen(TrackMuted("a", muted=False))
        parts.room.say("a", "said")
        parts.room.happen(TrackMuted("a", muted=True), after=0.0)
        parts.room.say("a", "late")  # it was said before the notice
        parts.room.happen(ParticipantLeft("nobody"), after=3.0)
        parts.room.unsubscribe("a")
        parts.room.stop()
        await parts.running
    assert truth.texts() == {"a": ["said late"]}
    silences = [each.silence for each in truth.received if each.HasField("silence")]
    seconds = [each.duration.ToTimedelta().total_seconds() for each in silences]
    assert sum(seconds) == pytest.approx(5.1)
    assert truth.received[0].HasField("join")


async def test_a_room_that_ends_ends_the_session_and_its_finals_are_shown_and_published() -> None:
    truth = truth_of()
    async with transcribing(truth) as parts:
        parts.room.subscribe("a", "ann")
        parts.room.say("a", "what", "ann ")
        await until(lambda: parts.room.captions)
        parts.room.stop()
        ended = await parts.running
    assert ended.job_id == SESSION_ID
    assert truth.ended
    assert parts.watching.finals() == ["what ann "]
    last = parts.room.captions[-1]
    assert (last.text, last.final, last.identity, last.track_id) == ("what ann ", True, "ann", "a")
    assert last.segment_id.startswith(SESSION_ID)
    assert not parts.room.captions[0].final


async def test_a_room_that_is_lost_ends_the_session_and_says_so() -> None:
    truth = truth_of()
    async with transcribing(truth) as parts:
        parts.room.subscribe("a")
        parts.room.say("a", "word")
        parts.room.happen(RoomError("The connection is lost."))
        with pytest.raises(RoomError, match="lost"):
            await parts.running
    assert truth.ended
    assert truth.texts() == {"a": ["word"]}


async def test_a_room_that_takes_no_text_is_noted_once_and_transcribed_all_the_same() -> None:
    truth = truth_of()
    async with transcribing(truth) as parts:
        parts.room.is_open = False
        parts.room.subscribe("a")
        parts.room.say("a", *("word",) * 4)
        parts.room.stop()
        await parts.running
    assert truth.texts() == {"a": ["word word word", "word"]}
    assert parts.watching.notes == ["the room takes no text: it is closed"]


@pytest.mark.parametrize("ends", [True, False])
async def test_a_track_that_cannot_be_recognised_ends_alone(ends: bool) -> None:
    truth = truth_of(dropped={"b": Reason.LANGUAGE_NOT_SUPPORTED})
    async with transcribing(truth) as parts:
        parts.room.subscribe("b")
        if ends:
            parts.room.unsubscribe("b")
        await until(lambda: any(each.HasField("warning") for each in parts.watching.events))
        parts.room.say("b", "lost")
        parts.room.subscribe("a")
        parts.room.say("a", "kept")
        await until(lambda: parts.transcriber.held == 3)  # the feed, its task and its place
        parts.room.unsubscribe("a")
        await until(lambda: parts.transcriber.held == 0)
        parts.room.stop()
        await parts.running
    assert truth.texts() == {"a": ["kept"]}


async def test_nothing_is_published_where_nobody_wants_it() -> None:
    truth = truth_of()
    async with transcribing(truth, publish=False) as parts:
        parts.room.subscribe("a")
        parts.room.say("a", "word")
        parts.room.stop()
        await parts.running
    assert not parts.room.captions
    assert parts.watching.finals() == ["word"]


async def test_a_session_that_cannot_go_on_is_its_own_error() -> None:
    truth = truth_of()
    async with transcribing(truth) as parts:
        parts.room.subscribe("a")
        parts.room.say("a", "word")
        await until(lambda: parts.watching.events)
        truth.breaks = {truth.points + 1: "end"}
        truth.refusal = StageError(Code.PERMISSION_DENIED, Reason.RESUME_TOKEN_INVALID, "No.")
        parts.room.say("a", "more")
        with pytest.raises(ClientError) as raised:
            await parts.running
    assert raised.value.reason == Reason.RESUME_TOKEN_INVALID
