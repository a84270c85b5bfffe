"""Faults of the confined processes that decode compressed audio for a gateway."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence
from contextlib import suppress

import psutil

from tests.chaos.live.fault import LiveFault
from tests.chaos.live.speech import FLAC, OPUS
from tests.chaos.live.talks import Talk
from tests.chaos.live.world import GATEWAYS, LiveWorld
from tests.children import children

DECODER = "maie_audio.child"
KILLS = 4
PAUSE_SECONDS = (0.2, 2.0)
# Until the first message of a session has begun a decoder, on a busy machine.
BEGIN_SECONDS = 60.0


async def _decoders_killed(world: LiveWorld, talks: Sequence[Talk]) -> str | None:
    """Kills decoding processes, one after another, by chance."""
    try:
        async with asyncio.timeout(BEGIN_SECONDS):
            while not _decoders(world):
                await asyncio.sleep(0.05)
    except TimeoutError:
        return "no process decoded"
    for _ in range(KILLS):
        if running := _decoders(world):
            with suppress(psutil.NoSuchProcess):
                world.chance.choice(running).send_signal(signal.SIGKILL)
        await asyncio.sleep(world.chance.uniform(*PAUSE_SECONDS))
    return None


def _decoders(world: LiveWorld) -> list[psutil.Process]:
    """The decoding processes of the gateways, and those that fork them."""
    found = []
    for gateway in GATEWAYS:
        with suppress(psutil.NoSuchProcess):
            parent = psutil.Process(world.mesh.children[gateway].pid)
            for server in children(DECODER, parent):
                found += [server, *children(DECODER, server)]
    return found


DECODER_FAULTS = (
    LiveFault(name="live: kill -9 decoders", happen=_decoders_killed, sounds=(FLAC, OPUS)),
)
