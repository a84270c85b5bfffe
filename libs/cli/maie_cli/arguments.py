"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from maie_cli.mesh import DEFAULT_DATA, GATEWAY_PORT
from maie_cli.mesh.parts import STAGES
from maie_cli.mesh.profiles import PROFILES

DEFAULT_GATEWAY = f"localhost:{GATEWAY_PORT}"

GatewayOption = Annotated[
    str,
    typer.Option(
        "--gateway", envvar="MAIE_GATEWAY", metavar="HOST:PORT", help="The gateway to talk to."
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print JSON with the field names of the contract.")
]
DataOption = Annotated[
    Path, typer.Option("--data", metavar="DIR", help="Where the mesh keeps its things.")
]
ProfileOption = Annotated[
    str, typer.Option("--profile", help=f"Which engines run: {' or '.join(PROFILES)}.")
]
WorkersOption = Annotated[
    list[str] | None,
    typer.Option(
        "--workers",
        metavar="STAGE=N",
        help=f"How many processes of a stage ({', '.join(STAGES)}) run; as often as needed.",
    ),
]

__all__ = [
    "DEFAULT_DATA",
    "DEFAULT_GATEWAY",
    "DataOption",
    "GatewayOption",
    "JsonOption",
    "ProfileOption",
    "WorkersOption",
    "parse_workers",
]


def parse_workers(pairs: Sequence[str]) -> dict[str, int]:
    """Reads "asr=2".

    Raises:
        typer.BadParameter: It is not of that form.
    """
    workers = {}
    for pair in pairs:
        stage, _, count = pair.partition("=")
        if not count.isdecimal():
            raise typer.BadParameter(
                f"write STAGE=N, such as asr=2, not {pair!r}", param_hint="--workers"
            )
        workers[stage] = int(count)
    return workers
