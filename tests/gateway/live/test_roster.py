"""What the tracks of a session say of how far they are."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from maie.live.v1 import live_pb2 as live
from maie_core.reasons import Reason
from maie_gateway.live.roster import Roster

pytestmark = pytest.mark.unit


class Leaving:
    """A track that has ended with its fourth message."""

    name = "ann"
    leaves = True
    places = 1

    async def run(self) -> None:
        pass

    def acknowledged(self) -> live.TrackProgress | None:
        return live.TrackProgress(track="ann", durable_sequence=3)


class Broken(Leaving):
    """A track that a defect ends."""

    async def run(self) -> None:
        raise RuntimeError("a defect")


def tools() -> Any:
    state = SimpleNamespace(left={"ann": 4}, tracks={})
    return SimpleNamespace(
        ledger=SimpleNamespace(state=state), settings=SimpleNamespace(max_tracks=1)
    )


async def test_the_end_of_a_track_is_acknowledged_whenever_somebody_looks() -> None:
    track: Any = Leaving()
    roster = Roster(tools(), lambda _, __: None)
    roster._add(track)
    durable = []
    # It has ended after the first step, and is forgotten after the second.
    for _ in range(3):
        await asyncio.sleep(0)
        durable += [each.durable_sequence for each in roster.news()]
    assert durable == [3, 4]


async def test_a_track_that_a_defect_ends_is_no_silent_end() -> None:
    failures: list[tuple[str, Reason]] = []
    track: Any = Broken()
    roster = Roster(tools(), lambda track, error: failures.append((track.name, error.reason)))
    roster._add(track)
    await roster.finished()
    assert failures == [("ann", Reason.INTERNAL)]
