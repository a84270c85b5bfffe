"""Faults of processes: replicas, gateways, the broker and clients, killed, frozen and stopped."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence
from typing import Any

from maie_cli.mesh.parts import NATS
from tests.chaos.live.fault import LiveFault, nothing
from tests.chaos.live.speech import TONES
from tests.chaos.live.talks import Talk
from tests.chaos.live.world import FREEZE_SECONDS, GATEWAYS, PARTS, REPLICAS, LiveWorld

# A client finds out that its gateway is frozen in about 5 s; a gateway that its client is in 30.
GATEWAY_FREEZE_SECONDS = (3.0, 26.0)
CLIENT_FREEZE_SECONDS = (1.0, 35.0)
BROKER_FREEZE_SECONDS = (1.0, 12.0)
REPLICA_FREEZE_SECONDS = (2.0, FREEZE_SECONDS + 6.0)
STORM = 3
STORM_PAUSE_SECONDS = (0.5, 4.0)
# One after another: each drains, ends and starts again.
STOPPED_SECONDS = 120.0
ROLLING = (*(part for pair in zip(GATEWAYS, REPLICAS, strict=True) for part in pair), NATS)


def signalled(
    name: str, parts: Sequence[str], number: signal.Signals, *, count: int = 1, **of_fault: Any
) -> LiveFault:
    """A signal to some of these parts, by chance.

    Args:
        name: What is done to which parts.
        parts: The parts.
        number: The signal.
        count: How many parts get it.
        of_fault: The other fields of the fault.
    """
    in_order = number is signal.SIGTERM

    async def happen(world: LiveWorld, _: Sequence[Talk]) -> None:
        for part in world.chance.sample(parts, count):
            world.send(part, number)

    return LiveFault(name=f"live: {name}", happen=happen, in_order=in_order, **of_fault)


def frozen(
    name: str, parts: Sequence[str], seconds: tuple[float, float], **of_fault: Any
) -> LiveFault:
    """SIGSTOP of one of these parts for a time, and SIGCONT; likewise."""

    async def happen(world: LiveWorld, _: Sequence[Talk]) -> None:
        part = world.chance.choice(parts)
        world.send(part, signal.SIGSTOP)
        await asyncio.sleep(world.chance.uniform(*seconds))
        world.send(part, signal.SIGCONT)

    return LiveFault(name=f"live: {name}", happen=happen, **of_fault)


async def _clients_killed(_: LiveWorld, talks: Sequence[Talk]) -> None:
    for talk in talks:
        talk.send(signal.SIGKILL)


async def _client_frozen(world: LiveWorld, talks: Sequence[Talk]) -> None:
    talk = world.chance.choice(talks)
    talk.send(signal.SIGSTOP)
    await asyncio.sleep(world.chance.uniform(*CLIENT_FREEZE_SECONDS))
    talk.send(signal.SIGCONT)


async def _storm(world: LiveWorld, talks: Sequence[Talk]) -> None:
    """Several deaths, one after another, of parts and clients by chance."""
    for _ in range(STORM):
        victims = [world.mesh.children[part].signal for part in PARTS]
        world.chance.choice([*victims, *(talk.send for talk in talks)])(signal.SIGKILL)
        await asyncio.sleep(world.chance.uniform(*STORM_PAUSE_SECONDS))


async def _rolling_restart(world: LiveWorld, _: Sequence[Talk]) -> str | None:
    """SIGTERM to every part, one after another, each once the one before is back."""
    for part in ROLLING:
        child = world.mesh.children[part]
        before = child.pid
        child.signal(signal.SIGTERM)
        async with asyncio.timeout(STOPPED_SECONDS):
            while child.pid in (before, None):
                await asyncio.sleep(0.1)
        await child.wait_ready(STOPPED_SECONDS)
    return None


# Between a session's record and its log, its end and its transcript, its transcript and its event,
# the audio of an utterance and its entry, the whole audio and its event.
POINTS = (
    "session.after_begin",
    "session.after_ended",
    "session.after_transcript",
    "session.after_part",
    "session.after_audio",
)


def killed_at(point: str) -> LiveFault:
    """SIGKILL of the first gateway that comes by a point."""
    return LiveFault(
        name=f"live: kill -9 at {point}",
        happen=nothing,
        environment={"MAIE_FAULT": f"{point}:kill@1"},
    )


LIVE_PROCESS_FAULTS = (
    LiveFault(name="live: nothing", happen=nothing),
    signalled("kill -9 asr", REPLICAS, signal.SIGKILL),
    signalled("kill -9 every asr", REPLICAS, signal.SIGKILL, count=len(REPLICAS)),
    signalled("kill -9 gateway", GATEWAYS, signal.SIGKILL),
    signalled("kill -9 every gateway", GATEWAYS, signal.SIGKILL, count=len(GATEWAYS)),
    signalled("kill -9 nats", (NATS,), signal.SIGKILL),
    signalled("kill -9 every part", PARTS, signal.SIGKILL, count=len(PARTS)),
    LiveFault(name="live: kill -9 clients", happen=_clients_killed, apart=True),
    LiveFault(name="live: kill -9 three times", happen=_storm, apart=True),
    frozen("freeze asr", REPLICAS, REPLICA_FREEZE_SECONDS),
    frozen("freeze gateway", GATEWAYS, GATEWAY_FREEZE_SECONDS),
    frozen("freeze nats", (NATS,), BROKER_FREEZE_SECONDS),
    LiveFault(name="live: freeze a client", happen=_client_frozen, apart=True),
    signalled("SIGTERM asr", REPLICAS, signal.SIGTERM, cuts=1),
    signalled("SIGTERM gateway", GATEWAYS, signal.SIGTERM),
    signalled("SIGTERM nats", (NATS,), signal.SIGTERM),
    LiveFault(
        name="live: rolling restart",
        happen=_rolling_restart,
        sessions=10,
        tracks=(1, 3),
        sounds=(TONES,),
        lasts=True,
        longest=5 * STOPPED_SECONDS,
        in_order=True,
        cuts=len(REPLICAS),
    ),
    *(killed_at(point) for point in POINTS),
)
