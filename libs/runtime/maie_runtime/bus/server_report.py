"""Asks nats-servers about themselves, with the credential of a monitor; see `rights.monitor`.

It takes the place of the server's HTTP monitoring, which has no password.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from nats.aio.msg import Msg
from nats.errors import NoRespondersError
from nats.js.api import Header

from maie_runtime.bus import subjects
from maie_runtime.bus.credentials import Credentials
from maie_runtime.bus.refusals import ReportingClient
from maie_runtime.bus.rights import MONITOR

CONNECT_SECONDS = 2


@dataclass(kw_only=True, frozen=True, slots=True)
class ServerReport:
    """What one server reports of itself.

    Attributes:
        server: Its name.
        data: The report, as nats-server names its fields.
    """

    server: str
    data: dict[str, Any]


class Monitor:
    """A connection with the rights of a monitor.

    Args:
        client: The connection.
    """

    def __init__(self, client: ReportingClient) -> None:
        self._client = client

    async def ask(
        self, report: str, servers: int, seconds: float, **options: Any
    ) -> list[ServerReport]:
        """The reports of a cluster's servers; fewer where not all answer in time.

        Args:
            report: One of `rights.REPORTS`, such as "HEALTHZ".
            servers: How many servers there are.
            seconds: How long to wait for all answers.
            options: The options of the report, as nats-server names them.

        Raises:
            nats.errors.Error: The server refuses.
        """
        subject = f"$SYS.REQ.SERVER.PING.{report}"
        answers: asyncio.Queue[Msg] = asyncio.Queue()
        inbox = self._client.new_inbox()
        subscription = await self._client.subscribe(inbox, cb=answers.put)
        found: list[ServerReport] = []
        try:
            async with asyncio.timeout(seconds), self._client.reporting(subject):
                await self._client.publish(subject, json.dumps(options).encode(), reply=inbox)
                while len(found) < servers:
                    found.append(_parsed(await answers.get()))
        except TimeoutError:
            pass
        finally:
            await subscription.unsubscribe()
        return found


@asynccontextmanager
async def open_monitor(url: str, credentials: Credentials) -> AsyncIterator[Monitor]:
    """Connects as a monitor.

    Args:
        url: One or more server addresses, separated by commas.
        credentials: Those of the part `monitor`.

    Raises:
        nats.errors.Error: No server lets it in.
        OSError: None can be reached.
    """
    client = ReportingClient()

    async def on_error(error: Exception) -> None:
        client.report(error)

    try:
        await client.connect(
            url.split(","),
            allow_reconnect=False,
            connect_timeout=CONNECT_SECONDS,
            error_cb=on_error,
            inbox_prefix=subjects.inbox(MONITOR),
            **credentials.options(),
        )
        yield Monitor(client)
    finally:
        await client.close()


async def server_report(
    url: str, credentials: Credentials, report: str, seconds: float, **options: Any
) -> dict[str, Any]:
    """What a server reports of itself, over a connection of its own.

    Args:
        url: The server's address.
        credentials: Those of the part `monitor`.
        report: One of `rights.REPORTS`, such as "HEALTHZ".
        seconds: How long to wait for the answer.
        options: The options of the report, as nats-server names them.

    Raises:
        nats.errors.Error: The server refuses.
        OSError: It cannot be reached, or does not answer in time.
    """
    async with open_monitor(url, credentials) as monitor:
        found = await monitor.ask(report, 1, seconds, **options)
    if not found:
        raise TimeoutError
    return found[0].data


def _parsed(answer: Msg) -> ServerReport:
    if (answer.headers or {}).get(Header.STATUS):
        raise NoRespondersError
    content = json.loads(answer.data)
    return ServerReport(server=content["server"]["name"], data=content["data"])
