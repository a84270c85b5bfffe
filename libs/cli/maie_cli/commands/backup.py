"""`maie backup`: a copy of all jobs of a mesh, which may go on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maie_cli.backups import opened, size
from maie_cli.console import note, out
from maie_cli.exits import run
from maie_cli.mesh.stores import running_stores
from maie_runtime.backup.taking import back_up

app = typer.Typer(add_completion=False)


@app.command()
def backup(
    folder: Annotated[Path, typer.Argument(help="A new folder for the backup.")],
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            metavar="DIR",
            help="The folder of `maie up`. Unset: the stores of MAIE_NATS_URL and MAIE_BLOB_URL.",
        ),
    ] = None,
) -> None:
    """Copy the jobs of a mesh into a folder, while the mesh runs or not.

    Every job that was accepted before is in it: a finished one with its results, and one that
    goes on after a restore. The master key is not in it: without it, encrypted jobs are lost.
    A guarded broker needs MAIE_NATS_NKEY_FILE with the seed of the operator.
    """
    run(_backup(folder, data))


async def _backup(folder: Path, data: Path | None) -> None:
    async with opened(data, running_stores) as (broker, store):
        made = await back_up(broker, store, folder, note)
        out.print(
            f"{folder}: {len(made.streams)} streams and {made.objects} objects "
            f"({size(made.object_bytes)}) of {made.begun:.19}. The master key is not in it.",
            soft_wrap=True,
        )
