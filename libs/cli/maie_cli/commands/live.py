"""`maie live`: captions of what is said now."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from maie_cli.arguments import (
    DEFAULT_GATEWAY,
    FeatureName,
    GatewayOption,
    LabelsOption,
    TenantOption,
)
from maie_cli.exits import EXIT_CODES, Exit, run
from maie_cli.files import Names
from maie_cli.gateway import gateway_client
from maie_cli.live.afterwards import show_results
from maie_cli.live.arguments import (
    CAPTIONS_ONLY,
    INTERRUPTED,
    ChannelsOption,
    EventsOption,
    FeaturesOption,
    KeepAudioOption,
    LanguageOption,
    LiveChannels,
    NameOption,
    OtherGatewaysOption,
    PartialsOption,
    RefineOption,
    SeveralSpeakersOption,
    TemplateOption,
    TurnsOption,
    live_options,
    wanted,
)
from maie_cli.live.files import file_source
from maie_cli.live.listening import listen
from maie_cli.live.microphone import Microphone
from maie_cli.live.sources import RATE_HERTZ, Source
from maie_cli.live.stdin import stdin_source
from maie_cli.options import (
    AsrOptions,
    ChunkSecondsOption,
    EnhancementOptions,
    SummaryOptions,
    stage_options,
)
from maie_client import Client, LiveOptions

STDIN = Path("-")
# The contract's limit.
MAX_TRACK_CHARACTERS = 64

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
    channels: ChannelsOption = LiveChannels.MIX,
    fast: Annotated[
        bool, typer.Option("--fast", help="Send as fast as it goes, not in real time.")
    ] = False,
    feature: FeaturesOption = None,
    template: TemplateOption = "",
    refine: RefineOption = False,
    several_speakers: SeveralSpeakersOption = False,
    as_json: EventsOption = False,
    language: LanguageOption = "",
    asr_options: AsrOptions = None,
    partials: PartialsOption = None,
    turns: TurnsOption = None,
    keep_audio: KeepAudioOption = False,
    enhancement_options: EnhancementOptions = None,
    summary_options: SummaryOptions = None,
    chunk_seconds: ChunkSecondsOption = None,
    label: LabelsOption = None,
    name: NameOption = "",
    gateway: GatewayOption = DEFAULT_GATEWAY,
    other_gateway: OtherGatewaysOption = None,
    tenant: TenantOption = "",
) -> None:
    """Show captions of what is said, while it is said.

    Captions go to stdout, everything else to stderr. The session is a job; Ctrl-C ends it, and
    `maie jobs` looks after it. It reconnects by itself, and loses nothing.
    """
    sources = _sources(files or [], rate, mic=mic, split=channels is LiveChannels.SPLIT)
    features = wanted(feature, template, refine=refine, several_speakers=several_speakers)
    options = live_options(
        features=features,
        template=template,
        language=language,
        labels=label,
        name=name or next(iter(sources.values())).name,
        partials=partials,
        turns=turns,
        keep_audio=keep_audio,
        refine=refine,
        several_speakers=several_speakers,
        chunk_seconds=chunk_seconds,
        stages=stage_options(asr_options or (), enhancement_options or (), summary_options or ()),
    )
    client = gateway_client(gateway, tenant)
    code = run(
        _live(client, sources, options, other_gateway or (), features, fast=fast, as_json=as_json)
    )
    raise typer.Exit(code)


def _sources(files: list[Path], rate: int, *, mic: bool, split: bool) -> dict[str, Source]:
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
        source = (
            stdin_source(rate, split=split) if path == STDIN else file_source(path, split=split)
        )
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
        if whole and set(features) <= {*CAPTIONS_ONLY, FeatureName.SPEAKERS}:
            return Exit.OK
        clean = FeatureName.CLEAN_TRANSCRIPT in features
        return await show_results(client, job_id, clean=clean, as_json=as_json)
