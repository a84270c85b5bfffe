"""The command line: every command is a module of `commands`."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from maie_cli.exits import EXIT_CODES
from maie_cli.lazy import LazyCommands

COMMANDS = {
    "up": "up",
    "top": "top",
    "process": "process",
    "quality": "quality",
    "align": "align",
    "live": "live",
    "livekit": "livekit",
    "search": "search",
    "mcp": "mcp",
    "templates": "templates",
    "doctor": "doctor",
    "load": "load",
    "demo": "demo",
    "jobs": "jobs",
    "revisions": "revisions",
    "trace": "trace",
    "dead-letters": "dead_letters",
    "models": "models",
    "keys": "keys",
    "tenants": "tenants",
    "share": "share",
    "speak": "speak",
    "voices": "voices",
    "audit": "audit",
    "master-key": "master_key",
    "provision": "provision",
    "backup": "backup",
    "restore": "restore",
    "certs": "certs",
    "nats": "nats",
}


class _Commands(TyperGroup):
    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes | {"commands": LazyCommands(COMMANDS)})


app = typer.Typer(
    name="maie",
    cls=_Commands,
    help="Turn recordings into transcripts and summaries.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    # A traceback with local variables would show texts and paths.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"maie {version('maie-cli')}")
        raise typer.Exit


@app.callback()
def _options(
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Turn recordings into transcripts and summaries."""
