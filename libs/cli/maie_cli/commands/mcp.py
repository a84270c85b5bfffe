"""`maie mcp`: jobs for language models, over the Model Context Protocol."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maie_cli.arguments import DEFAULT_GATEWAY, GatewayOption, TenantOption
from maie_cli.exits import run
from maie_cli.gateway import gateway_client
from maie_client import Client
from maie_mcp import Folders, make_server

app = typer.Typer(add_completion=False)


@app.command()
def mcp(
    folder: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FOLDER",
            help="Let the model submit recordings of this folder; without, it only reads.",
        ),
    ] = None,
    gateway: GatewayOption = DEFAULT_GATEWAY,
    tenant: TenantOption = "",
) -> None:
    """Serve jobs to a language model over MCP, on standard input and output.

    Programs such as Claude Desktop start it; docs/mcp.md says how.
    """
    try:
        folders = Folders(folder or ())
    except OSError as error:
        raise typer.BadParameter(f"{error.filename} is not there", param_hint="--folder") from error
    run(_serve(gateway_client(gateway, tenant), folders))


async def _serve(client: Client, folders: Folders) -> None:
    async with client:
        await make_server(lambda _: client, folders).run_stdio_async()
