"""Faults of tracks whose two channels are recognised apart."""

from __future__ import annotations

import signal
from collections.abc import Sequence

from tests.chaos.live.fault import LiveFault
from tests.chaos.live.speech import SIDES
from tests.chaos.live.talks import Talk
from tests.chaos.live.world import GATEWAYS, REPLICAS, LiveWorld


def killed(name: str, parts: Sequence[str]) -> LiveFault:
    """SIGKILL of one of these parts, by chance."""

    async def happen(world: LiveWorld, _: Sequence[Talk]) -> None:
        world.send(world.chance.choice(parts), signal.SIGKILL)

    return LiveFault(name=f"live: channels, kill -9 {name}", happen=happen, sounds=(SIDES,))


CHANNEL_FAULTS = (killed("asr", REPLICAS), killed("gateway", GATEWAYS))
