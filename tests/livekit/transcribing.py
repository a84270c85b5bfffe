"""A transcriber between a room in memory and a gateway with a typed session."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from maie.live.v1 import live_pb2 as live
from maie_client import Client, LiveSession
from maie_livekit import Speakers, Transcriber
from tests.client.live.fake_live import Truth, live_gateway
from tests.livekit.memory_room import MemoryRoom, word_of


@dataclass
class Watching:
    """What a watcher saw."""

    events: list[live.TranscribeResponse] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def show(self, event: live.TranscribeResponse) -> None:
        self.events.append(event)

    def note(self, message: str) -> None:
        self.notes.append(message)

    def finals(self) -> list[str]:
        return [each.final.segment.text for each in self.events if each.HasField("final")]


@dataclass
class Transcribing:
    """The parts of a transcription that runs."""

    room: MemoryRoom
    session: LiveSession
    speakers: Speakers
    watching: Watching
    transcriber: Transcriber
    running: asyncio.Task[live.SessionEnded]


def truth_of(**options) -> Truth:
    return Truth(reads=word_of, **options)


@asynccontextmanager
async def transcribing_at(
    address: str, *others: str, room: MemoryRoom | None = None, publish: bool = True, clock=None
) -> AsyncIterator[Transcribing]:
    """Transcribes a room at gateways; the test ends it."""
    room = room or MemoryRoom()
    watching, speakers = Watching(), Speakers()
    async with (
        Client(address) as client,
        client.live(features=["raw_transcript"], gateways=others) as session,
    ):
        transcriber = Transcriber(
            room, session, speakers, watching, publish=publish, clock=clock or room.clock
        )
        running = asyncio.create_task(transcriber.run())
        try:
            yield Transcribing(room, session, speakers, watching, transcriber, running)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


@asynccontextmanager
async def transcribing(truth: Truth, **options) -> AsyncIterator[Transcribing]:
    async with (
        live_gateway(truth) as one,
        live_gateway(truth) as other,
        transcribing_at(one, other, **options) as parts,
    ):
        yield parts
