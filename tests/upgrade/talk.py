"""A live session in which words are said while the parts of a mesh are replaced."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import cycle

import numpy as np

from maie.live.v1 import live_pb2 as live
from maie_asr.engine import SAMPLE_RATE
from maie_client import Client, LiveSession
from tests.live_engine import WORDS, quiet, say
from tests.upgrade.load import FEATURES, PATIENCE, TEMPLATE

TRACK = "ann"
PAUSE_SECONDS = 0.8


class Talk:
    """Says a word after another, and keeps what comes back.

    Args:
        gateways: Their addresses.

    Attributes:
        said: The words so far.
        finals: The finals so far.
        go_aways: How often a gateway asked the client to go on at another.
        final_count: How many finals the session had, as its end says.
        session_id: The session's id, once it began.
    """

    def __init__(self, gateways: Sequence[str]) -> None:
        self._gateways = gateways
        self.said: list[str] = []
        self.finals: list[live.Final] = []
        self.go_aways = 0
        self.final_count = 0
        self.session_id = ""

    @property
    def heard(self) -> list[str]:
        """The words of all finals."""
        return " ".join(final.segment.text for final in self.finals).split()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Speaks within the block, in one session; ends it when the block is left."""
        first, *others = self._gateways
        stopping = asyncio.Event()
        async with (
            Client(first, patience=PATIENCE) as client,
            client.live(features=FEATURES, template_id=TEMPLATE, gateways=others) as session,
        ):
            self.session_id = session.session_id
            async with asyncio.TaskGroup() as group:
                group.create_task(self._read(session))
                speaking = group.create_task(self._speak(session, stopping))
                try:
                    yield
                finally:
                    stopping.set()
                await speaking
                self.final_count = (await session.end()).final_count

    async def goes_on(self) -> None:
        """Waits until a word that is said from now on has come back."""
        before = len(self.said)
        while len(self.heard) <= before:
            await asyncio.sleep(0.05)

    async def _speak(self, session: LiveSession, stopping: asyncio.Event) -> None:
        words = cycle(WORDS)
        while not stopping.is_set():
            word = next(words)
            # A break of the audio comes between messages, and each word is just one.
            sound = np.concatenate([say(word), quiet(PAUSE_SECONDS)])
            await session.send(sound.astype("<i2").tobytes(), TRACK)
            self.said.append(word)
            await asyncio.sleep(len(sound) / SAMPLE_RATE)

    async def _read(self, session: LiveSession) -> None:
        async for event in session:
            if event.HasField("final"):
                self.finals.append(event.final)
            self.go_aways += event.HasField("go_away")
