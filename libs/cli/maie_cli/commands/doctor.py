"""`maie doctor`: finds problems, and says how to fix them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import typer

from maie_cli.arguments import DEFAULT_DATA, DEFAULT_GATEWAY, DataOption, ProfileOption
from maie_cli.certs.folder import CA
from maie_cli.commands.certs import DEFAULT_FOLDER
from maie_cli.doctor import certificates, engines, machine, running, servers
from maie_cli.doctor.finding import Finding
from maie_cli.doctor.printing import show
from maie_cli.exits import Exit, run

app = typer.Typer(add_completion=False)


@app.command()
def doctor(
    data: DataOption = DEFAULT_DATA,
    profile: ProfileOption = "embedded",
    gateway: Annotated[
        str | None,
        typer.Option(
            envvar="MAIE_GATEWAY",
            metavar="HOST:PORT",
            help=f"The gateway that must answer. Where unset, {DEFAULT_GATEWAY} is looked at, "
            "and none answering is no fault.",
        ),
    ] = None,
    certs: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="A folder of maie certs, whose CA and certificates are looked at; where unset, "
            f"the folder {DEFAULT_FOLDER} if there is one.",
        ),
    ] = None,
    measure: Annotated[
        bool,
        typer.Option(
            "--measure/--no-measure",
            help="Whether to measure how fast this machine transcribes, which takes some seconds.",
        ),
    ] = True,
) -> None:
    """Check tools, models and every part of a running mesh; say how to mend what is not well.

    Exits 1 where something is not well, as a certificate or an API key that has expired. One that
    expires soon is a warning alone.
    """
    folder = certs or (DEFAULT_FOLDER if (DEFAULT_FOLDER / CA).exists() else None)
    raise typer.Exit(run(_doctor(data, profile, gateway, folder, measure)))


async def _doctor(
    data: Path, profile: str, gateway: str | None, certs: Path | None, measure: bool
) -> Exit:
    return await show(_findings(data, profile, gateway, certs, measure))


async def _findings(
    data: Path, profile: str, gateway: str | None, certs: Path | None, measure: bool
) -> AsyncIterator[Finding]:
    yield machine.python_version()
    yield await machine.nats_version()
    yield machine.decoder()
    for finding in machine.folder(data):
        yield finding
    yield await machine.ports()
    async for finding in engines.engines(profile, measure=measure):
        yield finding
    yield engines.gateway_settings()
    if (key := await engines.master_key()) is not None:
        yield key
    yield engines.templates()
    async for finding in servers.servers():
        yield finding
    for finding in (*certificates.named(), *(certificates.in_folder(certs) if certs else ())):
        yield finding
    address = gateway or DEFAULT_GATEWAY
    async for finding in certificates.presented(address):
        yield finding
    async for finding in running.mesh(address, expected=gateway is not None):
        yield finding
