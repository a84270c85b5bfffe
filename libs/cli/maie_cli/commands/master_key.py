"""`maie master-key`: the key that encrypts what a mesh stores of its jobs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from maie_cli.console import out
from maie_cli.exits import Exit, leave
from maie_runtime.vault.key_file import keys_in, new_line

app = typer.Typer(add_completion=False)


@app.command("master-key")
def master_key(
    path: Annotated[Path, typer.Argument(help="The file to write.", metavar="FILE")],
    rotate: Annotated[
        bool,
        typer.Option("--rotate", help="Put a new key before those that the file has."),
    ] = False,
) -> None:
    """Write a file with a new master key, for its owner only.

    Set MAIE_GATEWAY_MASTER_KEY=file:///PATH for all gateways, and each job is encrypted with a key
    of its own. Without the file all jobs are lost, so keep a copy in a safe place, and not with
    the copies of the mesh's data.
    """
    old = _read(path) if rotate else ""
    new = path.with_name(f"{path.name}.new")
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        # Made so that nobody else can read it at any moment.
        with os.fdopen(os.open(new if rotate else path, flags, 0o600), "w") as file:
            file.write(new_line() + old)
        if rotate:
            new.replace(path)
    except FileExistsError:
        leave(f"{path} is there already; --rotate adds a key to it.", Exit.USAGE)
    except OSError as error:
        leave(f"{path} cannot be written ({error.strerror}).", Exit.FAILED)
    # Without markup and line breaks, so that it can be copied whatever the name is.
    out.print(
        f"export MAIE_GATEWAY_MASTER_KEY={path.absolute().as_uri()}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


def _read(path: Path) -> str:
    try:
        text = path.read_text()
        keys_in(text)
    except (OSError, UnicodeDecodeError, ValueError):
        leave(f"{path} is no file of a master key; leave out --rotate to make one.", Exit.USAGE)
    return text
