"""Audio that comes slower than it is spoken, and partials that come more seldom than asked for."""

from __future__ import annotations

import asyncio

import pytest

from maie_core.reasons import WarningReason
from maie_gateway.live.tracks import pace
from maie_gateway.live.tracks.pace import PaceMeter
from maie_gateway.live.tracks.thinning import ThinningMeter
from tests.gateway.live.conftest import LiveMesh
from tests.gateway.live.conversation import config
from tests.gateway.live.speech import RATE, pause


class Clock:
    """Stands still."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.unit
def test_audio_is_slow_from_five_seconds_behind_its_clock() -> None:
    clock = Clock()
    meter = PaceMeter(7 * RATE, clock)
    clock.now += 14.9
    assert meter.feed(17 * RATE) is None
    clock.now += 0.1
    assert meter.feed(17 * RATE) == pytest.approx(5.0)


@pytest.mark.unit
def test_slow_audio_is_said_again_after_ten_minutes_alone() -> None:
    clock = Clock()
    meter = PaceMeter(0, clock)
    found = []
    for second in range(2, 2000, 2):
        clock.now += 2
        if meter.feed(second // 2 * RATE) is not None:  # half as fast as it is spoken
            found.append(second)
    assert found == [10, 610, 1210, 1810]


@pytest.mark.unit
def test_audio_that_comes_faster_is_no_fault() -> None:
    clock = Clock()
    meter = PaceMeter(0, clock)
    for second in range(1000):
        clock.now += 0.1
        assert meter.feed(second * RATE) is None


@pytest.mark.unit
def test_partials_are_thinned_where_they_are_in_the_mean_of_ten_reports() -> None:
    meter = ThinningMeter()
    assert [meter.feed(factor) for factor in [0, 8, *[1] * 8, 2]] == [None] * 11
    found = [(at, mean) for at in range(1, 1300) if (mean := meter.feed(3)) is not None]
    assert found == [(10, 3), (610, 3), (1210, 3)]


@pytest.mark.mesh
async def test_a_client_hears_of_audio_that_it_sends_too_slowly(
    live_mesh: LiveMesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "SLOW_SECONDS", 0.5)
    async with live_mesh.talking() as (talk, _):
        await talk.start(config())

        while not talk.of("warning"):
            await talk.audio("slow", pause(0.02), seconds=0.02)
            await asyncio.sleep(0.1)
        (event,) = talk.of("warning")
        assert (event.warning.track, event.warning.track_dropped) == ("slow", False)
        assert event.warning.warning.reason == WarningReason.AUDIO_SLOW
        assert float(event.warning.warning.metadata["behind_seconds"]) >= 0.5
        await talk.end()


@pytest.mark.mesh
async def test_a_client_hears_that_partials_are_thinned(live_mesh: LiveMesh) -> None:
    async with live_mesh.talking() as (talk, replica):
        replica.asr.thinning = 4
        await talk.start(config())
        for _ in range(20):
            await talk.audio("call", pause(1.0), seconds=1.0)
        (event,) = await talk.next("warning")
        assert event.warning.track == "call"
        assert event.warning.warning.reason == WarningReason.PARTIALS_THINNED
        assert "about 4 times" in event.warning.warning.message
        assert event.warning.warning.metadata == {"factor": "4"}
        await talk.end()
        assert len(talk.of("warning")) == 1
