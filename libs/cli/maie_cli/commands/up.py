"""`maie up`: the whole mesh on this machine."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Annotated

import typer

from maie_cli.arguments import (
    DEFAULT_DATA,
    BlobUrlOption,
    DataOption,
    ProfileOption,
    WorkersOption,
    parse_workers,
)
from maie_cli.console import out
from maie_cli.exits import run
from maie_cli.interrupts import interruptible
from maie_cli.listing import Field, Listing, print_listing
from maie_cli.mesh.local import LocalMesh
from maie_cli.mesh.objects import check_blob_url
from maie_cli.mesh.options import GATEWAY_PORT, WEB_PORT, MeshOptions
from maie_cli.mesh.parts import leaves_synthesis_out
from maie_cli.mesh.ports import HOST
from maie_cli.mesh.voice import LEFT_OUT
from maie_core.redaction import environment_redactor

MAX_PORT = 65_535


app = typer.Typer(add_completion=False)


@app.command()
def up(
    data: DataOption = DEFAULT_DATA,
    profile: ProfileOption = "embedded",
    workers: WorkersOption = None,
    port_base: Annotated[
        int,
        typer.Option(
            min=0,
            max=MAX_PORT - 4,
            help="The gateway's port; the stages have the four after it. 0: any that are free.",
        ),
    ] = GATEWAY_PORT,
    listen: Annotated[
        str,
        typer.Option(
            metavar="HOST",
            help="The address that the gateway listens on; others than 127.0.0.1 need TLS. The "
            "other parts stay on 127.0.0.1.",
        ),
    ] = HOST,
    nats_port: Annotated[
        int, typer.Option(min=0, max=MAX_PORT, help="The broker's port. 0: any that is free.")
    ] = 0,
    blob_url: BlobUrlOption = "",
    web_port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=MAX_PORT,
            help="The port of HTTP and the console, on this machine alone. 0: any that is free, as "
            "with --port-base 0.",
            show_default=str(WEB_PORT),
        ),
    ] = None,
) -> None:
    """Run broker, services and gateway on this machine until Ctrl-C or SIGTERM.

    Every part is a process of its own. A part that dies is started again. The folder holds
    run/NAME.pid, run/NAME.address and logs/NAME.log of every part, and all jobs.
    """
    options = MeshOptions(
        data=data,
        profile=profile,
        workers=parse_workers(workers or ()),
        port_base=port_base,
        listen=listen,
        nats_port=nats_port,
        blob_url=blob_url,
        web_port=(WEB_PORT if port_base else 0) if web_port is None else web_port,
    )
    run(_up(options))


async def _up(options: MeshOptions) -> None:
    if options.blob_url:
        await check_blob_url(options.blob_url)
    mesh = LocalMesh(options, say)
    with interruptible(mesh) as interrupts:
        say(f"starting maie in {mesh.layout.root}")
        try:
            async with mesh:
                print_listing(out, addresses(mesh))
                if mesh.key_file:
                    say(f"commands need its key: export MAIE_API_KEY_FILE={mesh.key_file}")
                if leaves_synthesis_out(options):
                    say(LEFT_OUT)
                say("maie is ready")
                await asyncio.Future()
        except asyncio.CancelledError:
            if not interrupts.count:
                raise
    say("maie has stopped")


def say(line: str) -> None:
    """Prints a line; ignores a closed output, so that the mesh keeps running."""
    with suppress(OSError):
        out.print(environment_redactor()(line), soft_wrap=True)
        out.file.flush()


def addresses(mesh: LocalMesh, *, logs: bool = True) -> Listing:
    """The list of the parts.

    Args:
        mesh: The running mesh.
        logs: Whether to show the log files.
    """
    fields = [Field(header="part"), Field(header="address"), Field(header="process")]
    if logs:
        fields.append(Field(header="log", least=20))
    rows = [
        (name, child.part.address, str(child.pid), str(mesh.layout.log_file(name)))[: len(fields)]
        for name, child in mesh.children.items()
    ]
    return Listing(fields, rows)
