"""`maie doctor`: finds problems, and says how to fix them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from maie_cli.arguments import DEFAULT_DATA, DEFAULT_GATEWAY, DataOption, ProfileOption
from maie_cli.console import out, shown
from maie_cli.doctor import engines, machine, running, servers
from maie_cli.doctor.finding import Finding, Health
from maie_cli.exits import Exit, run

STYLES = {Health.OK: "green", Health.NOT_OK: "bold red", Health.ABSENT: "yellow"}
HEALTH_COLUMNS = 6


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
    measure: Annotated[
        bool,
        typer.Option(
            "--measure/--no-measure",
            help="Whether to measure how fast this machine transcribes, which takes some seconds.",
        ),
    ] = True,
) -> None:
    """Check tools, models and every part of a running mesh; say how to mend what is not well.

    Exits 0 only when all is well.
    """
    raise typer.Exit(run(_doctor(data, profile, gateway, measure)))


async def _doctor(data: Path, profile: str, gateway: str | None, measure: bool) -> Exit:
    code = Exit.OK
    async for finding in _findings(data, profile, gateway, measure):
        _print(finding)
        if finding.health is Health.NOT_OK:
            code = Exit.FAILED
    return code


async def _findings(
    data: Path, profile: str, gateway: str | None, measure: bool
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
    yield engines.templates()
    async for finding in servers.servers():
        yield finding
    address = gateway or DEFAULT_GATEWAY
    async for finding in running.mesh(address, expected=gateway is not None):
        yield finding


def _print(finding: Finding) -> None:
    health = Text(finding.health.value.ljust(HEALTH_COLUMNS), style=STYLES[finding.health])
    line = Text.assemble(health, "  ", finding.what)
    if finding.detail:
        line.append(f": {shown(finding.detail)}")
    if finding.mend:
        line.append(f" → {shown(finding.mend)}", style="bold")
    out.print(line, soft_wrap=True)
