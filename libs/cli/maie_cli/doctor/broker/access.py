"""Checks who may connect to a broker, and who has."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

from maie_cli.doctor.finding import Finding, Health, bad
from maie_runtime.bus.accounts import account_of
from maie_runtime.bus.broker import BROKER_ERRORS, addresses
from maie_runtime.bus.credentials import Credentials
from maie_runtime.bus.refusals import is_not_let_in
from maie_runtime.bus.rights import MONITOR, OPERATOR, parts
from maie_runtime.bus.server_report import ServerReport, open_monitor

GUARD = "give each part an account of its own: docs/nats.md"
CONNECT_SECONDS = 10.0


async def strangers(url: str, credentials: Credentials) -> Finding:
    """Whether a client without a credential gets in, who could then read and write everything.

    Args:
        url: The servers.
        credentials: Ours, of which the stranger lacks the nkey alone.
    """
    what = "clients without a credential"
    stranger = Credentials(
        ca=credentials.ca, certificate=credentials.certificate, key=credentials.key
    )
    servers = ", ".join(addresses(url.split(",")))
    try:
        async with asyncio.timeout(CONNECT_SECONDS), open_monitor(url, stranger):
            return bad(what, f"are let in by {servers}", GUARD)
    except BROKER_ERRORS as error:
        if is_not_let_in(error):
            return Finding(what=what, detail="are refused")
        problem = str(error) or type(error).__name__
        return Finding(what=what, health=Health.ABSENT, detail=f"not seen ({problem})")


def connections(found: Sequence[ServerReport]) -> Finding:
    """Whether all who are connected are in the accounts of a mesh's parts.

    Args:
        found: The servers' reports CONNZ with `auth`.
    """
    what = "connections"
    known = {account_of(part) for part in (*parts(), OPERATOR, MONITOR)}
    counts = Counter(
        each.get("account", "") for report in found for each in report.data.get("connections") or ()
    )
    shown = ", ".join(f"{count} in {account}" for account, count in sorted(counts.items()))
    if foreign := sorted(counts.keys() - known):
        detail = f"{shown}; no part of a mesh is in {', '.join(foreign)}"
        return bad(what, detail, GUARD)
    return Finding(what=what, detail=shown)


def unseen() -> Finding:
    """What cannot be seen without the credential of a monitor."""
    return Finding(
        what="servers",
        health=Health.ABSENT,
        detail="their versions, disks, sync_interval and TLS are shown to a monitor only",
        mend="make its seed (maie nats config --monitor) and name it with --monitor",
    )
