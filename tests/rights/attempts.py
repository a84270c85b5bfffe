"""Tries, with the credential of a part, everything that is not its own."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from nats.aio.client import Client

from maie_runtime.bus import subjects
from maie_runtime.bus.accounts import DETOUR
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.rights import API, GATEWAY, MONITOR, Right, Use, monitor, parts
from maie_runtime.bus.streams import STREAMS
from tests.rights.subjects_of_a_mesh import GPU, covers, matches, to_publish, to_subscribe

REFUSAL = re.compile(r'permissions violation for (publish|subscription) to "([^"]+)"')
SHARED = {GPU: ("asr", "summary")}
Gpus = Mapping[str, Collection[str]]


class Guarded(Protocol):
    """A broker that lets each part in with a seed of its own."""

    @property
    def url(self) -> str:
        """Where it answers."""

    def seed(self, part: str) -> Path:
        """The file with a part's seed."""


@dataclass(kw_only=True)
class Attempts:
    """What one credential was tried for.

    Attributes:
        part: Whose credential.
        published: The subjects that it tried to publish to, and may not.
        heard: The subjects that it tried to subscribe to, and may not.
        let_through: Those that the server did not refuse.
    """

    part: str
    published: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    let_through: list[str] = field(default_factory=list)


def rights_of(part: str, shared: Gpus = SHARED) -> tuple[Right, ...]:
    """A part's rights, in a mesh whose stages share these GPUs."""
    return monitor() if part == MONITOR else parts(shared)[part]


async def attempts(server: Guarded, part: str, shared: Gpus = SHARED) -> Attempts:
    """Tries each subject that is not the part's own, to publish and to subscribe."""
    rights = rights_of(part, shared)
    made = Attempts(part=part)
    made.published = [each for each in to_publish() if not _may_publish(part, rights, each)]
    made.heard = [each for each in to_subscribe() if not _may_hear(part, rights, each)]
    refused: dict[str, set[str]] = {"publish": set(), "subscription": set()}
    async with _listening(server, part, refused) as client:
        for subject in made.published:
            await client.publish(subject, b"{}", reply=client.new_inbox())
        await all_answered(client)
        for subject in made.heard:
            await client.subscribe(subject)
            await client.subscribe(subject, queue="together")
        await all_answered(client)
    # nats-py gives the server's words in lower case.
    made.let_through = [each for each in made.published if each.lower() not in refused["publish"]]
    made.let_through += [each for each in made.heard if each.lower() not in refused["subscription"]]
    return made


async def all_answered(client: Client) -> None:
    """Waits until the server has answered all that was sent.

    nats-py sends the ping of a flush before commands that wait, and then those.
    """
    for _ in range(2):
        await client.flush(timeout=30)


@asynccontextmanager
async def _listening(
    server: Guarded, part: str, refused: dict[str, set[str]]
) -> AsyncIterator[Client]:
    async def note(error: Exception) -> None:
        if found := REFUSAL.search(str(error)):
            refused[found[1]].add(found[2])

    client = Client()
    await client.connect(
        server.url,
        inbox_prefix=subjects.inbox(part),
        error_cb=note,
        nkeys_seed=str(server.seed(part)),
        allow_reconnect=False,
    )
    try:
        yield client
    finally:
        await client.close()


def _may_publish(part: str, rights: Iterable[Right], subject: str) -> bool:
    """Whether a subject is a part's own; one of ours that has two names counts by either."""
    names = {subject}
    if part not in (GATEWAY, MONITOR):
        names.add(subject.replace(DETOUR, API, 1))
    return any(
        right.use is not Use.SUBSCRIBE and covers(right, each) for right in rights for each in names
    )


def _may_hear(part: str, rights: Iterable[Right], subject: str) -> bool:
    own = [right.subject for right in rights if right.use is Use.SUBSCRIBE]
    return any(matches(each, subject) for each in (f"{subjects.inbox(part)}.>", *own))


async def what_is_stored(broker: Broker) -> dict[str, Any]:
    """The configuration, messages and consumers of every stream, as an operator sees them."""
    seen: dict[str, Any] = {}
    for stream in STREAMS:
        info = await broker.jetstream.stream_info(stream.name or "", subjects_filter=">")
        seen[stream.name or ""] = (
            info.config,
            info.state.messages,
            info.state.last_seq,
            info.state.consumer_count,
            info.state.subjects,
        )
    names = [info.config.name for info in await broker.jetstream.streams_info()]
    return {**seen, "streams": sorted(name or "" for name in names)}
