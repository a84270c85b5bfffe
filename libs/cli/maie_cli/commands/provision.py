"""`maie provision`: creates the streams of a mesh, before its parts start."""

from __future__ import annotations

from typing import Annotated

import typer

from maie_cli.broker import connected
from maie_cli.console import out
from maie_cli.exits import Exit, leave, run
from maie_core.errors import StageError
from maie_core.settings import MeshSettings, load_settings
from maie_runtime.bus import subjects
from maie_runtime.bus.credentials import credentials_of
from maie_runtime.bus.provision import Wanted, open_provisioned_broker
from maie_runtime.bus.rights import PROVISION

GIVE_UP_SECONDS = 60.0

app = typer.Typer(add_completion=False)


@app.command()
def provision(
    update: Annotated[
        bool,
        typer.Option(
            "--update", help="Change what differs, where the broker allows it, as gateways do."
        ),
    ] = False,
    replicas: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=5,
            help="How many servers of a cluster keep each stream; unset, that stays as it is.",
        ),
    ] = None,
    timeout: Annotated[
        float, typer.Option(min=0.1, help="How many seconds to wait for the broker.")
    ] = GIVE_UP_SECONDS,
) -> None:
    """Create the streams and consumers that a mesh needs in NATS (MAIE_NATS_URL).

    What is there stays as it is. Where it is not as this release needs it, each difference is
    named and the exit code is 1. Only a gateway or this command creates them; workers wait.
    """
    mesh = load_settings(MeshSettings)
    wanted = Wanted(ack_wait_seconds=mesh.ack_wait_seconds, update=update, replicas=replicas)
    run(_provision(mesh, wanted, timeout))


async def _provision(mesh: MeshSettings, wanted: Wanted, seconds: float) -> None:
    inbox = subjects.inbox(PROVISION)
    opening = open_provisioned_broker(
        mesh.nats_url, "maie-provision", wanted, inbox=inbox, credentials=credentials_of(mesh)
    )
    try:
        async with connected(opening, seconds):
            out.print("The broker has all that a mesh needs.")
    except StageError as error:
        leave(error.message, Exit.FAILED)
