"""`maie live`: captions of what is said now."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from maie.asr.v1 import streaming_pb2 as streaming
from maie_cli.arguments import (
    DEFAULT_GATEWAY,
    FeatureName,
    GatewayOption,
    LabelsOption,
    TenantOption,
    parse_labels,
)
from maie_cli.exits import EXIT_CODES, Exit, run
from maie_cli.files import Names
from maie_cli.live.afterwards import show_results
from maie_cli.live.files import file_source
from maie_cli.live.listening import listen
from maie_cli.live.microphone import Microphone
from maie_cli.live.sources import RATE_HERTZ, Source
from maie_cli.live.stdin import stdin_source
from maie_cli.options import (
    AsrOptions,
    EnhancementOptions,
    SummaryOptions,
    option_names,
    parse_options,
    stage_options,
)
from maie_client import Client, LiveOptions

INTERRUPTED = 130  # 128 + SIGINT, as in shells
STDIN = Path("-")
# The contract's limit.
MAX_TRACK_CHARACTERS = 64
CAPTIONS_ONLY = [FeatureName.RAW_TRANSCRIPT]
WITH_TEMPLATE = [FeatureName.RAW_TRANSCRIPT, FeatureName.CLEAN_TRANSCRIPT, FeatureName.SUMMARY]

app = typer.Typer(add_completion=False)


@app.command(epilog=EXIT_CODES)
def live(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE",
            help="Recordings, each the track of a speaker; - reads 16-bit mono samples or a WAV "
            "file from standard input.",
        ),
    ] = None,
    mic: Annotated[bool, typer.Option("--mic", help="Listen to the microphone.")] = False,
    rate: Annotated[
        int,
        typer.Option(min=8000, max=48000, metavar="HERTZ", help="The rate of raw samples from -."),
    ] = RATE_HERTZ,
    fast: Annotated[
        bool, typer.Option("--fast", help="Send as fast as it goes, not in real time.")
    ] = False,
    feature: Annotated[
        list[FeatureName] | None,
        typer.Option(
            metavar="FEATURE",
            help=f"What to make, as often as needed: {', '.join(FeatureName)}. Without any: the "
            "raw transcript, and with a template all that it needs.",
        ),
    ] = None,
    template: Annotated[
        str,
        typer.Option(
            metavar="ID",
            help="The template that the summary fills at the end; see `maie templates`.",
        ),
    ] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print each event as JSON, on a line.")
    ] = False,
    language: Annotated[str, typer.Option(metavar="TAG", help="The language, such as en.")] = "",
    asr_options: AsrOptions = None,
    turns: Annotated[
        list[str] | None,
        typer.Option(
            "--turns",
            metavar="NAME=VALUE",
            help="When an utterance begins and ends, repeatable; times in seconds: "
            f"{option_names(streaming.TurnOptions.DESCRIPTOR)}.",
        ),
    ] = None,
    enhancement_options: EnhancementOptions = None,
    summary_options: SummaryOptions = None,
    label: LabelsOption = None,
    name: Annotated[str, typer.Option(help="The job's display name.")] = "",
    gateway: GatewayOption = DEFAULT_GATEWAY,
    other_gateway: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOST:PORT",
            help="A further gateway of the mesh, to go on at when the first stops; as often as "
            "needed.",
        ),
    ] = None,
    tenant: TenantOption = "",
) -> None:
    """Show captions of what is said, while it is said.

    Captions go to stdout, everything else to stderr. The session is a job; Ctrl-C ends it, and
    `maie jobs` looks after it. It reconnects by itself, and loses nothing.
    """
    sources = _sources(files or [], rate, mic=mic)
    features = feature or (WITH_TEMPLATE if template else CAPTIONS_ONLY)
    options: LiveOptions = {
        "features": features,
        "template_id": template,
        "language_code": language,
        "labels": parse_labels(label or ()),
        "display_name": name or next(iter(sources.values())).name,
    }
    options = {
        **options,
        **stage_options(asr_options or (), enhancement_options or (), summary_options or ()),
    }
    if turns:
        options["turns"] = parse_options(turns, streaming.TurnOptions(), "--turns")
    client = Client(gateway, tenant=tenant)
    code = run(
        _live(client, sources, options, other_gateway or (), features, fast=fast, as_json=as_json)
    )
    raise typer.Exit(code)


def _sources(files: list[Path], rate: int, *, mic: bool) -> dict[str, Source]:
    """The sources by track: one has the track without a name, several have their files' names."""
    if bool(files) == mic:
        raise typer.BadParameter("name a FILE, - or --mic", param_hint="FILE")
    if files.count(STDIN) > 1:
        raise typer.BadParameter("standard input is one track", param_hint="FILE")
    if mic:
        return {"": Microphone()}
    names = Names()
    made: dict[str, Source] = {}
    for number, path in enumerate(files, start=1):
        track = names.of(path) if path != STDIN else "-"
        short = track if len(track) <= MAX_TRACK_CHARACTERS else f"track-{number}"
        source = stdin_source(rate) if path == STDIN else file_source(path)
        made[short if len(files) > 1 else ""] = source
    return made


async def _live(
    client: Client,
    sources: dict[str, Source],
    options: LiveOptions,
    gateways: Sequence[str],
    features: Sequence[FeatureName],
    *,
    fast: bool,
    as_json: bool,
) -> int:
    async with client:
        try:
            job_id, whole = await listen(
                client, sources, options, gateways=gateways, fast=fast, as_json=as_json
            )
        except asyncio.CancelledError:  # Ctrl-C twice
            return INTERRUPTED
        if whole and set(features) <= set(CAPTIONS_ONLY):
            return Exit.OK
        clean = FeatureName.CLEAN_TRANSCRIPT in features
        return await show_results(client, job_id, clean=clean, as_json=as_json)
