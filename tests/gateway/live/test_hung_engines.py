"""An engine that hangs, once or always: other replicas take its tracks, and nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from maie_runtime.worker.host import HUNG_STATUS
from tests.gateway.live.asr_process import supervised_asr
from tests.gateway.live.conftest import LiveMesh
from tests.gateway.live.conversation import Conversation, talking
from tests.live_engine import quiet, say
from tests.waiting import until

pytestmark = pytest.mark.mesh

HANGS_AT = "zulu"
REPLICAS = 2
# Longer than a process needs to start again on a busy machine.
PATIENCE_SECONDS = 200.0


def sound(*words: str) -> bytes:
    """Words, each an utterance."""
    pieces = [piece for word in words for piece in (say(word), quiet(0.8))]
    return np.concatenate(pieces).astype("<i2").tobytes()


@asynccontextmanager
async def speaking(
    mesh: LiveMesh, **variables: str
) -> AsyncIterator[tuple[Conversation, list[int]]]:
    """A session at a gateway with replicas that hang; gives how their processes ended."""
    hanging = {"HANGS_AT": HANGS_AT, "MAIE_ASR_LIVE_STALL_SECONDS": "0.5", **variables}
    async with (
        mesh.gateway(patience_seconds=PATIENCE_SECONDS, freeze_seconds=60.0) as address,
        AsyncExitStack() as stack,
    ):
        statuses: list[int] = []
        for number in range(REPLICAS):
            service = supervised_asr(mesh.empty, f"asr-{number}", statuses, **hanging)
            await stack.enter_async_context(service)
        talk = await stack.enter_async_context(talking(address))
        await talk.start()
        yield talk, statuses


async def test_an_engine_that_hangs_once_costs_nothing(live_mesh: LiveMesh, tmp_path: Path) -> None:
    once = str(tmp_path / "hung")
    async with speaking(live_mesh, HANGS_ONCE=once) as (talk, statuses):
        await talk.audio("bob", sound("charlie"))
        await talk.audio("ann", sound("alpha", HANGS_AT, "bravo"))
        await until(lambda: statuses == [HUNG_STATUS])
        await talk.audio("bob", sound("delta"))
        ended = await talk.end()
    assert [each for each in talk.finals() if each.startswith("ann")] == [
        f"ann:{word}" for word in ("alpha", HANGS_AT, "bravo")
    ]
    assert [each for each in talk.finals() if each.startswith("bob")] == [
        f"bob:{word}" for word in ("charlie", "delta")
    ]
    assert ended.final_count == 5
    assert not talk.of("warning")


@pytest.mark.slow
async def test_audio_with_which_every_engine_hangs_costs_its_track_alone(
    live_mesh: LiveMesh,
) -> None:
    async with speaking(live_mesh) as (talk, statuses):
        await talk.audio("bob", sound("charlie"))
        await talk.next("final")
        await talk.audio("ann", sound("alpha", HANGS_AT, "bravo"))
        await asyncio.wait_for(talk.next("warning"), PATIENCE_SECONDS)
        (warned,) = talk.of("warning")
        assert warned.warning.track == "ann"
        assert warned.warning.track_dropped
        assert warned.warning.warning.reason == "STALLED"
        await talk.audio("bob", sound("delta"))
        await talk.audio("ann", sound("golf"))
        ended = await talk.end()
        assert statuses == [HUNG_STATUS] * 2
    assert sorted(talk.finals()) == ["ann:alpha", "bob:charlie", "bob:delta"]
    assert ended.final_count == 3
