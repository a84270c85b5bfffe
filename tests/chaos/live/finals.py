"""Faults of what finals go to: their receiver dies, is slow or refuses, while gateways die."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence

from maie_runtime.bus.session_log import SessionLog
from tests.chaos.live.fault import LiveFault
from tests.chaos.live.journal import Heard
from tests.chaos.live.receiver import MOODS, WELL
from tests.chaos.live.talks import Talk
from tests.chaos.live.world import GATEWAYS, LiveWorld, of_log
from tests.chaos.world import now

STEPS = 5
STEP_SECONDS = (0.5, 4.0)
KILLS = 2
KILL_SECONDS = (1.0, 8.0)
# After the last trouble: a breaker's pause, the longest rest of a note whose gateway was killed,
# and the restart of that gateway.
DELIVERY_SECONDS = 150.0


async def _trouble(world: LiveWorld, talks: Sequence[Talk]) -> str | None:
    """The receiver dies, is slow and refuses, by chance; gateways are killed meanwhile."""
    await asyncio.gather(_receiver_in_trouble(world), _gateways_killed(world))
    return None


async def _receiver_in_trouble(world: LiveWorld) -> None:
    receiver = world.receiver
    assert receiver is not None
    for _ in range(STEPS):
        mood = world.chance.choice((*MOODS, ""))
        if mood:
            receiver.become(mood)
        else:
            await receiver.kill()
        await asyncio.sleep(world.chance.uniform(*STEP_SECONDS))
        await receiver.start()
    receiver.become(WELL)


async def _gateways_killed(world: LiveWorld) -> None:
    for _ in range(KILLS):
        await asyncio.sleep(world.chance.uniform(*KILL_SECONDS))
        world.send(world.chance.choice(GATEWAYS), signal.SIGKILL)


async def _all_received(world: LiveWorld, talks: Sequence[Talk]) -> str | None:
    """Each final of the logs came at least once, with its text, and in the order of its track."""
    receiver = world.receiver
    assert receiver is not None
    deadline = now() + DELIVERY_SECONDS
    for session_id in filter(None, (talk.journal.session_id for talk in talks)):
        logged = await _logged(world, session_id)
        while len({each.utterance for each in receiver.taken(session_id)}) < len(logged):
            if now() > deadline:
                break
            await asyncio.sleep(0.2)
        if wrong := _differs(logged, receiver.taken(session_id)):
            return f"session {session_id}: {wrong}"
    return None


async def _logged(world: LiveWorld, session_id: str) -> list[Heard]:
    return of_log(await world.of_broker(lambda: SessionLog(world.broker).read(session_id)))


def _differs(logged: Sequence[Heard], taken: Sequence[Heard]) -> str | None:
    firsts = {each.utterance: each for each in reversed(taken)}
    for each in logged:
        if each.utterance not in firsts:
            return f"its receiver lacks {each.utterance}"
    texts = {each.utterance: each.text for each in logged}
    for each in taken:
        if texts.get(each.utterance) != each.text:
            return f"its receiver has another text of {each.utterance}"
    for track in {each.track for each in logged}:
        wanted = [each.utterance for each in logged if each.track == track]
        came = dict.fromkeys(each.utterance for each in taken if each.track == track)
        if list(came) != wanted:
            return f"its receiver got track {track} in the order {list(came)}"
    return None


FINAL_FAULTS = (
    LiveFault(
        name="live: receiver of finals killed, slow and refusing",
        happen=_trouble,
        afterwards=_all_received,
        lasts=True,
        receiver=True,
    ),
)
