"""Awaited summaries: each client gets the one that its job has, whatever dies meanwhile."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence

from google.protobuf import json_format

from maie_client import Client
from tests.chaos.live.fault import STUCK_SECONDS, LiveFault
from tests.chaos.live.outcome import LiveOutcome
from tests.chaos.live.speech import SIDES, TONES
from tests.chaos.live.talks import Talk
from tests.chaos.live.world import GATEWAYS, SUMMARY, LiveWorld


async def check_summary(world: LiveWorld, talk: Talk, outcome: LiveOutcome) -> None:
    """Compares the summary that a client waited for with that of the complete job."""
    if not talk.script.summarised:
        return
    session_id = talk.journal.session_id

    async def summary(client: Client) -> dict[str, object]:
        results = (await client.get_job(session_id)).results
        return json_format.MessageToDict(results.summary)

    read = talk.journal.summaries
    if not read:
        outcome.blame("lost", session_id, f"its client got no summary: {talk.failure}")
        return
    made = await world.ask(summary)
    if any(each.get("summary") != made for each in read):
        outcome.blame("changed", session_id, f"its client got another summary: {read}")


def _while_none_is_made(
    kill: Callable[[LiveWorld], None],
) -> Callable[[LiveWorld, Sequence[Talk]], Awaitable[str | None]]:
    """Kills something while all clients wait for summaries, and none is made."""

    async def happen(world: LiveWorld, talks: Sequence[Talk]) -> str | None:
        world.send(SUMMARY, signal.SIGSTOP)
        try:
            async with asyncio.timeout(STUCK_SECONDS / 2):
                while any(talk.journal.ended is None for talk in talks):
                    await asyncio.sleep(0.1)
        except TimeoutError:
            return "the sessions did not end before their summaries"
        finally:
            kill(world)
        return None

    return happen


def _service_killed(world: LiveWorld) -> None:
    world.send(SUMMARY, signal.SIGKILL)


def _gateways_killed(world: LiveWorld) -> None:
    for gateway in GATEWAYS:
        world.send(gateway, signal.SIGKILL)
    world.send(SUMMARY, signal.SIGCONT)


SUMMARY_FAULTS = (
    LiveFault(
        name="live: awaited summaries, kill -9 summary",
        happen=_while_none_is_made(_service_killed),
        sounds=(TONES, SIDES),
        summarised=True,
    ),
    LiveFault(
        name="live: awaited summaries, kill -9 every gateway",
        happen=_while_none_is_made(_gateways_killed),
        sounds=(TONES, SIDES),
        summarised=True,
    ),
)
