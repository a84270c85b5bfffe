"""A client that speaks: `python -m tests.chaos.live.speaker JOURNAL PACE LEAVES TRACKS GATEWAY...`.

TRACKS are numbers with commas between them. A process that finds a journal goes on with its
session, and sends again from its files what is not durable.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from maie.asr.v1 import streaming_pb2 as streaming
from maie_client import Client, LiveSession
from tests.chaos.live.journal import Journal
from tests.chaos.live.receiver import webhook
from tests.chaos.live.speech import Script

FEATURES = ("raw_transcript",)
TEMPLATE = "meeting_notes_v1"
# Longer than anything is broken here.
PATIENCE = timedelta(seconds=150)


async def speak(gateways: Sequence[str], script: Script, journal: Journal) -> None:
    """Begins a session, or goes on with the journal's, and says what is left of the script.

    Raises:
        ClientError: The session cannot go on.
    """
    async with (
        Client(gateways[0], patience=PATIENCE) as client,
        client.live(
            resume=journal.resume_point,
            gateways=gateways[1:],
            **_wanted(script),
            format=script.format,
            keep_audio=True,
            partials=streaming.PartialOptions(enabled=False),
            webhooks=[webhook(script.receiver)] if script.receiver else [],
        ) as session,
    ):
        point = session.resume_point
        journal.begin(point.session_id, point.resume_token)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_read(session, journal))
                group.create_task(_say(session, script))
        except ExceptionGroup as errors:
            # What ended the session ends every part of its client.
            raise _first(errors) from None


def _wanted(script: Script) -> dict[str, Any]:
    """The features of a session, and what each needs."""
    wanted: dict[str, Any] = {"features": list(FEATURES)}
    if script.refined:
        wanted["features"].append("clean_transcript")
        wanted["refinements"] = True
    if script.summarised:
        wanted["features"].append("summary")
        wanted["template_id"] = TEMPLATE
    return wanted


def _first(errors: BaseExceptionGroup) -> BaseException:
    first = errors.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


async def _read(session: LiveSession, journal: Journal) -> None:
    async for event in session:
        journal.add(event)


async def _say(session: LiveSession, script: Script) -> None:
    done = {track.track: track.durable_sequence for track in session.started.tracks}
    async with asyncio.TaskGroup() as group:
        for number in script.tracks:
            group.create_task(_say_track(session, script, number, done.get(str(number), 0)))
    await session.end(await_summary=script.summarised)


async def _say_track(session: LiveSession, script: Script, number: int, done: int) -> None:
    """Says a track from the message after `done` on, which is in stored finals."""
    pieces, step = script.pieces(number), script.piece_seconds(number)
    begun = time.monotonic()
    script.rounds[number] = 1
    for count in itertools.count():
        place, at = divmod(done + count, len(pieces))
        if place == script.rounds[number]:
            if not script.goes_on():
                break
            script.rounds[number] += 1
        await asyncio.sleep(max(0.0, begun + count * step - time.monotonic()))
        await session.send(pieces[at], str(number))
    if script.leaves and done <= len(pieces):
        await session.leave(str(number))


async def main(path: str, pace: str, leaves: str, tracks: str, *gateways: str) -> None:
    """Speaks to the end."""
    script = Script(
        tracks=tuple(map(int, tracks.split(","))), pace=float(pace), leaves=leaves == "leaves"
    )
    await speak(gateways, script, Journal(Path(path)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
