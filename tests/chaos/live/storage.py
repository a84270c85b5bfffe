"""Faults of what is stored: the broker's disk is full while sessions speak."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from tests.chaos.disk import no_small_disk
from tests.chaos.live.fault import LiveFault
from tests.chaos.live.talks import Talk
from tests.chaos.live.world import LiveWorld

FULL_SECONDS = (2.0, 9.0)


async def _disk_full(world: LiveWorld, _: Sequence[Talk]) -> None:
    assert world.disk is not None
    await world.disk.fill()
    await asyncio.sleep(world.chance.uniform(*FULL_SECONDS))
    world.disk.free()


LIVE_STORAGE_FAULTS = (
    LiveFault(
        name="live: broker's disk full",
        happen=_disk_full,
        on_small_disk=True,
        missing=no_small_disk,
    ),
)
