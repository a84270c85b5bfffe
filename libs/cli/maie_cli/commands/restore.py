"""`maie restore`: a backup into an empty mesh."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from maie_cli.arguments import BlobUrlOption
from maie_cli.backups import opened, size
from maie_cli.console import note, out
from maie_cli.exits import Exit, leave, run
from maie_cli.mesh.objects import check_blob_url
from maie_cli.mesh.stores import stopped_stores
from maie_runtime.backup.restoring import restore as restore_backup

app = typer.Typer(add_completion=False)


@app.command()
def restore(
    folder: Annotated[Path, typer.Argument(help="The folder of a backup.")],
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            metavar="DIR",
            help="A new folder for `maie up`. Unset: the stores of MAIE_NATS_URL and "
            "MAIE_BLOB_URL, which must be empty.",
        ),
    ] = None,
    replicas: Annotated[
        int | None,
        typer.Option(
            min=1, max=5, help="How many servers of a cluster keep each stream; unset: as before."
        ),
    ] = None,
    blob_url: BlobUrlOption = "",
) -> None:
    """Put a backup into an empty mesh, none of whose gateways and workers run.

    The whole backup is verified first. If the command is interrupted, run it again before anything
    else. Then start the mesh: unfinished jobs go on.
    """
    if blob_url and data is None:
        leave(
            "--blob-url belongs to --data; without it, MAIE_BLOB_URL names the store.", Exit.USAGE
        )
    run(_restore(folder, data, replicas, blob_url))


async def _restore(folder: Path, data: Path | None, replicas: int | None, blob_url: str) -> None:
    if blob_url:
        await check_blob_url(blob_url)
    async with opened(data, partial(stopped_stores, blob_url=blob_url)) as (broker, store):
        made = await restore_backup(broker, store, folder, note, replicas=replicas)
        out.print(
            f"Restored {len(made.streams)} streams and {made.objects} objects "
            f"({size(made.object_bytes)}) of {made.begun:.19}. Start the mesh now.",
            soft_wrap=True,
        )
