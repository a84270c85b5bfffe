"""The command line: every command is a module of `commands`."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from maie_cli.commands import catalog, dead_letters, demo, doctor, jobs, models, process, search, up
from maie_cli.exits import EXIT_CODES

app = typer.Typer(
    name="maie",
    help="Turn recordings into transcripts and summaries.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    # A traceback with local variables would show texts and paths.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("up")(up.up)
app.command("process", epilog=EXIT_CODES)(process.process)
app.add_typer(jobs.app, name="jobs")
app.command("search")(search.search)
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(models.app, name="models")
app.command("templates")(catalog.templates)
app.command("doctor")(doctor.doctor)
app.command("demo")(demo.demo)


def _print_version(wanted: bool) -> None:
    if wanted:
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
