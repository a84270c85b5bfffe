"""A live session through calls that break at every possible point."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maie.live.v1 import live_pb2 as live
from maie_client import Client, LiveSession
from tests.client.live.fake_live import BREAKS, UTTERANCE, Break, Truth, live_gateway
from tests.properties import examples

pytestmark = pytest.mark.unit


@dataclass(frozen=True)
class Step:
    """Something that a client does with a track."""

    what: str
    track: str


PLAN = [
    Step("join", "a"),
    *(Step("audio", "a"),) * 2,
    Step("audio", ""),
    *(Step("audio", "a"),) * 2,
    Step("leave", "a"),
    Step("silence", ""),
    *(Step("audio", "a"),) * 3,
    Step("finalize", ""),
    Step("audio", ""),
]


async def carry_out(
    session: LiveSession, plan: Sequence[Step], *, await_summary: bool
) -> list[live.TranscribeResponse]:
    """Sends everything and ends; gives what came."""

    async def send() -> None:
        for number, step in enumerate(plan):
            await do(session, step, f"{number:02}")
        await session.end(await_summary=await_summary)

    async with asyncio.TaskGroup() as group:
        group.create_task(send())
        return [event async for event in session]


async def do(session: LiveSession, step: Step, word: str) -> None:
    match step.what:
        case "audio":
            await session.send(word.encode(), step.track)
        case "silence":
            await session.silence(timedelta(seconds=1), step.track)
        case "finalize":
            await session.finalize(step.track)
        case "join":
            await session.join(step.track, display_name="Priya")
        case "leave":
            await session.leave(step.track)


def expected(plan: Sequence[Step]) -> dict[str, list[str]]:
    """The finals of each track where nothing breaks."""
    finals: dict[str, list[str]] = {}
    pending: dict[str, list[str]] = {}

    def finish(track: str) -> None:
        if words := pending.pop(track, []):
            finals.setdefault(track, []).append(" ".join(words))

    for number, step in enumerate(plan):
        if step.what == "audio":
            pending.setdefault(step.track, []).append(f"{number:02}")
            if len(pending[step.track]) == UTTERANCE:
                finish(step.track)
        elif step.what in ("finalize", "leave"):
            finish(step.track)
    for track in list(pending):
        finish(track)
    return finals


async def run(
    plan: Sequence[Step], breaks: dict[int, Break], *, await_summary: bool = False
) -> Truth:
    """Carries out a plan at two gateways, and checks what the client saw."""
    truth = Truth(breaks=breaks)
    truth.summary.summary.template_id = "meeting_notes_v1"
    async with (
        live_gateway(truth) as one,
        live_gateway(truth) as other,
        Client(one) as client,
        client.live(gateways=[other]) as session,
    ):
        events = await carry_out(session, plan, await_summary=await_summary)
    if await_summary:
        assert events.pop().summary == truth.summary
    durable = [event for event in events if event.sequence]
    assert [event.sequence for event in durable] == list(range(1, len(durable) + 1))
    assert durable == truth.log
    assert durable[-1].HasField("ended")
    # A call that goes on with the wait begins after the end.
    assert await_summary or events[-1] == durable[-1]
    assert truth.texts() == expected(plan)
    assert session.kept_bytes == 0
    return truth


@pytest.mark.parametrize("await_summary", [False, True])
@pytest.mark.parametrize("how", BREAKS)
async def test_nothing_is_lost_or_doubled_wherever_one_call_breaks(
    how: Break, await_summary: bool
) -> None:
    undisturbed = await run(PLAN, {}, await_summary=await_summary)
    assert len(undisturbed.starts) == 1
    for point in range(1, undisturbed.points + 1):
        broken = await run(PLAN, {point: how}, await_summary=await_summary)
        # At the first point not even the start arrives.
        assert len(broken.starts) == (1 if point == 1 else 2), point


STEPS = st.builds(
    Step,
    st.sampled_from(["audio", "audio", "audio", "silence", "finalize", "leave"]),
    st.sampled_from(["", "a", "b"]),
)


@settings(
    max_examples=examples(120),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    plan=st.lists(STEPS, max_size=20),
    breaks=st.dictionaries(st.integers(3, 80), st.sampled_from(BREAKS), max_size=8),
    await_summary=st.booleans(),
)
async def test_nothing_is_lost_or_doubled_whatever_breaks(
    plan: list[Step], breaks: dict[int, Break], await_summary: bool
) -> None:
    await run(plan, breaks, await_summary=await_summary)
