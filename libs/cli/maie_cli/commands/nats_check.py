"""`maie nats check`: says what a broker lacks for a mesh."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from maie_cli.broker import connected
from maie_cli.doctor.broker import access, servers, streams
from maie_cli.doctor.finding import Finding, bad
from maie_cli.doctor.printing import show
from maie_cli.exits import Exit, leave, run
from maie_core.errors import StageError
from maie_core.settings import MeshSettings, load_settings
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import BROKER_ERRORS, Broker, open_broker
from maie_runtime.bus.credentials import credentials_of
from maie_runtime.bus.rights import PROVISION
from maie_runtime.bus.server_report import open_monitor

GIVE_UP_SECONDS = 10.0
REPORT_SECONDS = 5.0


def check(
    replicas: Annotated[
        int,
        typer.Option(min=1, max=5, help="How many servers of a cluster must keep each stream."),
    ] = 1,
    monitor: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The seed of monitor (maie nats config --monitor), to which servers show their "
            "versions, disks, settings and connections.",
        ),
    ] = None,
    timeout: Annotated[
        float, typer.Option(min=0.1, help="How many seconds to wait for the broker.")
    ] = GIVE_UP_SECONDS,
) -> None:
    """Say what the broker (MAIE_NATS_URL) lacks for a mesh, and how to mend it; change nothing.

    It needs the credential of provision, as `maie provision` does. Exits 1 where something is not
    well.
    """
    mesh = load_settings(MeshSettings)
    raise typer.Exit(run(_check(mesh, replicas, monitor, timeout)))


async def _check(mesh: MeshSettings, replicas: int, monitor: Path | None, seconds: float) -> Exit:
    opening = open_broker(
        mesh.nats_url,
        "maie-nats-check",
        inbox=subjects.inbox(PROVISION),
        credentials=credentials_of(mesh),
    )
    try:
        async with connected(opening, seconds) as broker:
            return await show(_findings(mesh, broker, replicas, monitor))
    except StageError as error:
        leave(error.message, Exit.FAILED)


async def _findings(
    mesh: MeshSettings, broker: Broker, replicas: int, monitor: Path | None
) -> AsyncIterator[Finding]:
    if monitor is None:
        yield access.unseen()
    else:
        async for finding in _of_servers(mesh, monitor):
            yield finding
    yield await access.strangers(mesh.nats_url, credentials_of(mesh))
    async for finding in streams.streams(broker, replicas):
        yield finding
    async for finding in streams.consumers(broker, mesh.ack_wait_seconds):
        yield finding


async def _of_servers(mesh: MeshSettings, seed: Path) -> AsyncIterator[Finding]:
    credentials = replace(credentials_of(mesh), nkey=seed)
    try:
        async with open_monitor(mesh.nats_url, credentials) as monitor:
            first = await monitor.ask("VARZ", 1, REPORT_SECONDS)
            if not first:
                yield bad("servers", "none reports", "look at their logs")
                return
            size = servers.cluster_size(first[0].data)
            found = await monitor.ask("VARZ", size, REPORT_SECONDS)
            health = await monitor.ask("HEALTHZ", len(found), REPORT_SECONDS)
            connected = await monitor.ask("CONNZ", len(found), REPORT_SECONDS, auth=True)
    except BROKER_ERRORS as error:
        problem = str(error) or type(error).__name__
        yield bad("servers", f"the monitor is refused ({problem})", "name its own seed")
        return
    for finding in servers.servers(found, health):
        yield finding
    yield access.connections(connected)
