"""Asks a nats-server about itself, with the credential of a monitor; see `rights.monitor`.

It takes the place of the server's HTTP monitoring, which has no password.
"""

from __future__ import annotations

import json
from typing import Any

from nats.aio.client import Client

from maie_runtime.bus import subjects
from maie_runtime.bus.credentials import Credentials
from maie_runtime.bus.rights import MONITOR

CONNECT_SECONDS = 2


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
        nats.errors.Error: The server does not answer, or refuses.
        OSError: It cannot be reached.
    """
    client = Client()
    await client.connect(
        url,
        allow_reconnect=False,
        connect_timeout=CONNECT_SECONDS,
        error_cb=_say_nothing,
        inbox_prefix=subjects.inbox(MONITOR),
        **credentials.options(),
    )
    try:
        subject = f"$SYS.REQ.SERVER.PING.{report}"
        answer = await client.request(subject, json.dumps(options).encode(), timeout=seconds)
    finally:
        await client.close()
    data: dict[str, Any] = json.loads(answer.data)["data"]
    return data


async def _say_nothing(_: Exception) -> None:
    """The caller gets the error."""
