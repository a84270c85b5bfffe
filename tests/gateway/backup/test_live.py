"""A backup while people speak: what is durable is restored, and their clients get an answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import pytest

from maie.live.v1 import live_pb2 as live
from maie_client import Client
from maie_runtime.bus.broker import Broker, open_broker
from tests.gateway.backup.places import Places, completed, only_files
from tests.gateway.live.conftest import LiveMesh, client_of
from tests.gateway.live.conversation import expected, talking
from tests.gateway.live.speech import pieces, said

pytestmark = [pytest.mark.mesh, only_files]

WORDS = [1, 2, 3, 4]
MESSAGES = list(pieces(said(WORDS)))
# Each word and its pause are 7 messages.
TWO_WORDS, THREE_WORDS = 15, 22


@dataclass(kw_only=True, frozen=True)
class Session:
    """A session of which two words are in a backup, and a third is not.

    Attributes:
        started: What its client knows of it.
        sequence: The last event that its client has.
        later: A session that began after the backup.
    """

    started: live.SessionStarted
    sequence: int
    later: live.SessionStarted


async def say(talk: Any, first: int, last: int) -> None:
    """Sends messages, from one sequence to another."""
    for number in range(first, last + 1):
        content = MESSAGES[number - 1]
        await talk.send(audio=live.TrackAudio(track="ann", sequence=number, content=content))


@pytest.fixture
async def session(places: Places, broker: Broker) -> Session:
    """A session that was backed up and restored."""
    here = LiveMesh(empty=places.mesh, broker=broker)
    async with here.running() as (address, _), talking(address) as talk, talking(address) as other:
        started = await talk.start()
        await say(talk, 1, TWO_WORDS)
        await talk.next("final", 2)
        ended = await places.backup()
        assert ended.code == 0, ended.errors
        await say(talk, TWO_WORDS + 1, THREE_WORDS)
        sequence = (await talk.next("final", 3))[-1].sequence
        later = await other.start()
    ended = await places.restore()
    assert ended.code == 0, ended.errors
    return Session(started=started, sequence=sequence, later=later)


@asynccontextmanager
async def restored(places: Places, **settings: Any) -> AsyncIterator[tuple[str, Client]]:
    """The restored mesh; gives its gateway's address and a client of it."""
    async with open_broker(places.other.nats.url, "test") as broker:
        there = LiveMesh(empty=places.other, broker=broker)
        async with (
            there.running(**settings) as (address, _),
            there.stages(),
            client_of(address) as client,
        ):
            yield address, client


async def test_a_client_goes_on_from_what_was_durable(places: Places, session: Session) -> None:
    async with restored(places) as (address, client):
        async with talking(address) as talk:
            (track,) = (await talk.resume(session.started)).tracks
            assert track.durable_sequence <= TWO_WORDS
            await say(talk, track.durable_sequence + 1, len(MESSAGES))
            ended = await talk.end()
            assert talk.finals() == expected("ann", WORDS)
            assert ended.final_count == len(WORDS)
        job = await completed(client, session.started.session_id)
        assert [each.text for each in job.results.segments] == [f"w{each}" for each in WORDS]


async def test_a_client_that_saw_more_gets_the_finals_that_are_made_anew(
    places: Places, session: Session
) -> None:
    async with restored(places) as (address, _), talking(address) as talk:
        (track,) = (await talk.resume(session.started, after=session.sequence)).tracks
        await say(talk, track.durable_sequence + 1, len(MESSAGES))
        ended = await talk.end()
        assert talk.finals() == expected("ann", WORDS[2:])
        assert ended.final_count == len(WORDS)


async def test_a_session_whose_client_stays_away_ends_with_its_finals(
    places: Places, session: Session
) -> None:
    async with restored(places, resume_seconds=1.0, sweep_seconds=0.1) as (_, client):
        job = await completed(client, session.started.session_id)
        assert [each.text for each in job.results.segments] == ["w1", "w2"]


async def test_a_session_that_began_after_the_backup_is_not_found(
    places: Places, session: Session
) -> None:
    async with restored(places) as (address, _), talking(address) as talk:
        start = live.StartSession(
            session_id=session.later.session_id, resume_token=session.later.resume_token
        )
        await talk.send(start=start)
        assert await talk.failure() == (grpc.StatusCode.NOT_FOUND, "SESSION_NOT_FOUND")
