"""`maie process`: turns recordings into transcripts and summaries."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from maie_cli.arguments import (
    DEFAULT_GATEWAY,
    FeatureName,
    FileFormatName,
    GatewayOption,
    LabelsOption,
    TenantOption,
    parse_labels,
)
from maie_cli.batch import Batch
from maie_cli.digests import digest_options, with_audio
from maie_cli.exits import EXIT_CODES, Exit, run
from maie_cli.gateway import gateway_client
from maie_cli.options import (
    AUTO,
    AsrOptions,
    ChannelsOption,
    ChunkSecondsOption,
    EnhancementOptions,
    SpeakersOption,
    SummaryOptions,
    TrackOption,
    reading_options,
    recording_options,
    speaker_options,
    stage_options,
)
from maie_cli.printer import Printer
from maie_cli.recordings import Recording, recording_of
from maie_cli.views import view_of
from maie_client import Client, JobOptions
from maie_client.speech import SPEECH_FORMATS
from maie_core.limits import MAX_SPEECH_SPEED, MIN_SPEECH_SPEED
from maie_formats.writers import DOCUMENT_FORMATS, SPEAKER_FORMATS

DEFAULT_TEMPLATE = "meeting_notes_v1"
AT_ONCE = 4
# What a gateway makes where nothing is named.
DEFAULTS = (FeatureName.CLEAN_TRANSCRIPT, FeatureName.SUMMARY)
TRANSCRIPTS = frozenset({FeatureName.RAW_TRANSCRIPT, FeatureName.CLEAN_TRANSCRIPT})


app = typer.Typer(add_completion=False)


@app.command(epilog=EXIT_CODES)
def process(
    files: Annotated[
        list[Recording],
        typer.Argument(
            parser=recording_of,
            metavar="FILE",
            help="Recordings; also http and https URLs, which the gateway fetches.",
        ),
    ],
    feature: Annotated[
        list[FeatureName] | None,
        typer.Option(
            metavar="FEATURE",
            help=f"What to make, as often as needed: {', '.join(FeatureName)}. Without any: "
            "clean transcript and summary.",
        ),
    ] = None,
    template: Annotated[
        str,
        typer.Option(
            metavar="ID",
            help="The template that the summary fills; see `maie templates`. "
            f"{DEFAULT_TEMPLATE} where no feature is named either.",
        ),
    ] = "",
    output: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write result files there, in all formats that fit."),
    ] = None,
    format_: Annotated[
        FileFormatName | None,
        typer.Option("--format", help="One format only; md on stdout where unset."),
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", help="Print one JSON object for each FILE, each on a line, in their order."
        ),
    ] = False,
    language: Annotated[str, typer.Option(metavar="TAG", help="The language, such as en.")] = "",
    asr_options: AsrOptions = None,
    enhancement_options: EnhancementOptions = None,
    summary_options: SummaryOptions = None,
    channels: ChannelsOption = None,
    track: TrackOption = "",
    speakers: SpeakersOption = "",
    reading_text: Annotated[
        Path | None,
        typer.Option(
            metavar="TEXT.txt",
            exists=True,
            dir_okay=False,
            help="What should have been read, for the feature reading.",
        ),
    ] = None,
    voice: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Who speaks the summary, for the feature digest; see `maie speak --voices`.",
        ),
    ] = "",
    speed: Annotated[
        float | None,
        typer.Option(
            min=MIN_SPEECH_SPEED,
            max=MAX_SPEECH_SPEED,
            help="The pace of the digest; 1 is the voice's own.",
        ),
    ] = None,
    speech_format: Annotated[
        str,
        typer.Option(
            metavar="FORMAT", help=f"The format of the digest: {', '.join(SPEECH_FORMATS)}; mp3."
        ),
    ] = "",
    chunk_seconds: ChunkSecondsOption = None,
    label: LabelsOption = None,
    name: Annotated[str, typer.Option(help="The job's display name.")] = "",
    request_id: Annotated[
        str, typer.Option(metavar="ID", help="Sent again with the same FILE, gives the same job.")
    ] = "",
    interactive: Annotated[
        bool, typer.Option("--interactive", help="Somebody waits: serve it before other work.")
    ] = False,
    at_once: Annotated[
        int, typer.Option(min=1, max=64, help="The most FILEs in progress.")
    ] = AT_ONCE,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
    gateway: GatewayOption = DEFAULT_GATEWAY,
    tenant: TenantOption = "",
) -> None:
    """Turn recordings into transcripts and summaries.

    Results go to stdout, or into files with --output; progress and errors go to stderr. The audio
    of a digest goes into a file with --output alone; `maie jobs audio --digest` saves it later.
    Ctrl-C leaves a job that was accepted running; `maie jobs` looks after it.
    """
    options = job_options(feature or [], template, language, chunk_seconds, speakers)
    options |= recording_options(channels, track) | reading_options(reading_text, feature or ())
    options |= digest_options(voice, speed, speech_format, feature or ())
    features = options["features"]
    options = {
        **options,
        **stage_options(asr_options or (), enhancement_options or (), summary_options or ()),
        "labels": parse_labels(label or ()),
        "display_name": name,
        "request_id": request_id,
        "interactive": interactive,
    }
    if request_id and len(files) > 1:
        raise typer.BadParameter("a request id names one recording", param_hint="--request-id")
    if len(files) > 1 and output is None and format_ in ("srt", "vtt", "tsv", "rttm"):
        raise typer.BadParameter(
            f"several recordings in the format {format_} need --output", param_hint="--format"
        )
    if output is None and format_ in DOCUMENT_FORMATS:
        raise typer.BadParameter(f"the format {format_} needs --output", param_hint="--format")
    if format_ in SPEAKER_FORMATS and FeatureName.SPEAKERS not in features:
        raise typer.BadParameter(
            f"the format {format_} needs --speakers {AUTO}", param_hint="--format"
        )
    printer = Printer(
        files,
        output,
        format_ or ("json" if as_json else None),
        as_json=as_json,
        transcribed=not features or not TRANSCRIPTS.isdisjoint(features),
        speakers=FeatureName.SPEAKERS in features,
    )
    client = gateway_client(gateway, tenant)
    code = run(_process(client, files, options, printer, output, at_once, quiet))
    raise typer.Exit(code)


def job_options(
    features: list[FeatureName],
    template: str,
    language: str,
    chunk_seconds: float | None,
    speakers: str = "",
) -> JobOptions:
    """What a job is to make: notes of a meeting where nothing is named, or to be spoken."""
    unnamed = not features
    if FeatureName.DIGEST in features and FeatureName.SUMMARY not in features:
        features, unnamed = [*features, FeatureName.SUMMARY], True
    options: JobOptions = {
        "features": features,
        "template_id": template or (DEFAULT_TEMPLATE if unnamed else ""),
        "language_code": language,
    }
    if chunk_seconds is not None:
        options["chunk_duration"] = timedelta(seconds=chunk_seconds)
    if speakers:
        others = [each for each in features or DEFAULTS if each is not FeatureName.SPEAKERS]
        options |= speaker_options(speakers)
        options["features"] = [*others, FeatureName.SPEAKERS]
    return options


async def _process(
    client: Client,
    files: list[Recording],
    options: JobOptions,
    printer: Printer,
    output: Path | None,
    at_once: int,
    quiet: bool,
) -> Exit:
    blocked = printer.blocked()
    free = [file for file, outcome in zip(files, blocked, strict=True) if outcome is None]
    async with client:
        with view_of([str(file) for file in free], quiet=quiet) as view:
            made = iter(await Batch(client, options, view, at_once).run(free))
        outcomes = [each or next(made) for each in blocked]
        if output is not None:
            outcomes = [
                await with_audio(client, outcome, output, printer.name(at))
                for at, outcome in enumerate(outcomes)
            ]
    code = Exit.OK
    for at, outcome in enumerate(outcomes):
        warnings = not view.shows_warnings
        code = max(code, await asyncio.to_thread(printer.show, at, outcome, warnings=warnings))
    printer.list_files()
    return code
