"""Clipped audio is noticed once, and loud audio is not taken for it."""

from __future__ import annotations

import numpy as np
import pytest

from maie_core.reasons import WarningReason
from maie_gateway.live.tracks.clipping import ClippingMeter
from tests.gateway.live.conftest import LiveMesh
from tests.gateway.live.conversation import config, linear16
from tests.gateway.live.speech import RATE, interleaved, pause

SECOND = np.arange(RATE)


def sine(amplitude: float) -> bytes:
    """A second of a tone, cut off at full scale."""
    tone = np.sin(2 * np.pi * 200 * SECOND / RATE) * amplitude * 32_768
    return np.clip(np.round(tone), -32_768, 32_767).astype("<i2").tobytes()


@pytest.mark.unit
def test_the_share_is_told_once_and_again_after_ten_minutes() -> None:
    meter = ClippingMeter()
    loud, clipped = sine(0.97), sine(2.0)
    assert [meter.feed(loud) for _ in range(100)] == [None] * 100
    shares = [meter.feed(clipped) for _ in range(630)]
    found = [(at, share) for at, share in enumerate(shares, start=1) if share is not None]
    # Two thirds of a sine of twice full scale are beyond it: asin(1/2) is a third of a right angle.
    assert [at for at, _ in found] == [10, 610]
    assert [share for _, share in found] == pytest.approx([2 / 3, 2 / 3], abs=0.02)


@pytest.mark.unit
def test_a_few_samples_at_full_scale_are_no_clipping() -> None:
    meter = ClippingMeter()
    peak = np.zeros(10 * RATE, "<i2")
    peak[:159] = 32_767
    assert meter.feed(peak.tobytes()) is None
    peak[:160] = -32_768
    assert meter.feed(peak.tobytes()) == 1e-3


@pytest.mark.mesh
async def test_a_client_is_warned_of_the_channel_that_is_clipped(live_mesh: LiveMesh) -> None:
    wanted = config()
    wanted.format.CopyFrom(linear16(channels=2, split=True))
    async with live_mesh.talking() as (talk, _):
        await talk.start(wanted)
        for _ in range(20):
            await talk.audio("call", interleaved(pause(1.0), sine(2.0)), seconds=0.5)
        (event,) = await talk.next("warning")
        warned = event.warning
        assert (warned.track, warned.channel, warned.track_dropped) == ("call", 2, False)
        assert warned.warning.reason == WarningReason.CLIPPING
        assert "66." in warned.warning.message or "67." in warned.warning.message
        assert float(warned.warning.metadata["ratio"]) == pytest.approx(0.67, abs=0.01)
        await talk.end()
        assert len(talk.of("warning")) == 1
