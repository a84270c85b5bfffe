"""What clients do to sessions: they fight over one, and come and go a thousand times."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from maie_client import Client, ClientError, LiveSession
from maie_core.reasons import Reason
from tests.chaos.live.fault import LiveFault
from tests.chaos.live.journal import Journal
from tests.chaos.live.speaker import FEATURES, PATIENCE, speak
from tests.chaos.live.speech import pieces_of
from tests.chaos.live.talks import Talk
from tests.chaos.live.world import GATEWAYS, LiveWorld

FIGHTS = 4
FIGHT_SECONDS = (0.5, 3.0)
VISITS = 1000
# Fewer than a session may have.
AT_A_TIME = 14
SAID = 2
# What Python and its libraries take the first time.
FIRST_VISITS = 100
# Of each visit the log keeps a few entries, and a session the name and the last message.
MOST_BYTES_EACH = 4096


async def _fight(world: LiveWorld, talks: Sequence[Talk]) -> str | None:
    """A second client takes each session, again and again; the first takes it back each time."""
    for talk in talks:
        talk.fights = True
    return next(filter(None, await asyncio.gather(*(_steal(world, talk) for talk in talks))), None)


async def _steal(world: LiveWorld, talk: Talk) -> str | None:
    for _ in range(FIGHTS):
        await asyncio.sleep(world.chance.uniform(*FIGHT_SECONDS))
        if talk.journal.resume_point is None or talk.journal.ended is not None:
            continue
        thief = Path(tempfile.mkdtemp(dir=world.folder)) / "journal"
        shutil.copy(talk.journal.path, thief)
        talk.views.append(Journal(thief))
        try:
            async with asyncio.timeout(world.chance.uniform(*FIGHT_SECONDS)):
                await speak(world.gateways(), talk.script, talk.views[-1])
        except TimeoutError:
            continue
        except ClientError as error:
            if error.reason not in (Reason.SESSION_TAKEN_OVER, Reason.SESSION_ENDED):
                return f"who took a session over got {error.code.name} {error.reason}"
    return None


async def _visits(world: LiveWorld, _: Sequence[Talk]) -> str | None:
    """A thousand tracks join, say something short and leave, in one session."""
    gateways = world.gateways()
    async with (
        Client(gateways[0], patience=PATIENCE) as client,
        client.live(gateways=gateways[1:], features=FEATURES) as session,
    ):
        gone = _Gone()
        reading = asyncio.create_task(gone.read(session))
        await _visit(session, gone, range(FIRST_VISITS))
        before = _memory(world)
        await _visit(session, gone, range(FIRST_VISITS, VISITS))
        grown = _memory(world) - before
        ended = await session.end()
        await reading
    bound = (VISITS - FIRST_VISITS) * MOST_BYTES_EACH / 2**20
    if grown > bound:
        return f"{VISITS} visits left {grown:.1f} MiB in the gateways"
    # The first pieces are the silence before a clip.
    return f"silence had {ended.final_count} finals" if ended.final_count else None


class _Gone:
    """How much of each track is durable."""

    def __init__(self) -> None:
        self._durable: dict[str, int] = {}
        self._over = False
        self._news = asyncio.Condition()

    async def read(self, session: LiveSession) -> None:
        """Reads the session's events to its end."""
        try:
            async for event in session:
                async with self._news:
                    for track in event.acknowledged.tracks:
                        self._durable[track.track] = track.durable_sequence
                    self._news.notify_all()
        finally:
            # Who waits goes on, and finds out what ended the session.
            self._over = True
            async with self._news:
                self._news.notify_all()

    async def wait(self, name: str, last: int) -> None:
        """Waits until a track is over, with its last message."""
        async with self._news:
            await self._news.wait_for(lambda: self._over or self._durable.get(name) == last)
            self._durable.pop(name, None)


async def _visit(session: LiveSession, gone: _Gone, numbers: range) -> None:
    """Tracks come and go, a few at a time."""
    room = asyncio.Semaphore(AT_A_TIME)

    async def one(number: int) -> None:
        async with room:
            name = f"visitor {number}"
            await session.join(name, display_name=name)
            for piece in pieces_of(0)[:SAID]:
                await session.send(piece, name)
            await gone.wait(name, await session.leave(name))

    await asyncio.gather(*(one(number) for number in numbers))


def _memory(world: LiveWorld) -> float:
    """The memory of the gateways, in MiB."""
    memory = world.memory()
    return sum(memory[part] for part in GATEWAYS)


CLIENT_FAULTS = (
    LiveFault(name="live: two clients fight over a session", happen=_fight),
    LiveFault(name="live: a thousand joins and leaves", happen=_visits, sessions=1),
)
