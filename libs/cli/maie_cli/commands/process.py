"""`maie process`: recordings in, transcripts and summaries out."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from maie_cli.arguments import (
    DEFAULT_GATEWAY,
    FeatureName,
    FormatName,
    GatewayOption,
    LabelsOption,
    TenantOption,
    parse_labels,
)
from maie_cli.batch import Batch, Outcome
from maie_cli.console import complain, emit, note
from maie_cli.exits import Exit, run
from maie_cli.files import Names, write_results
from maie_cli.formats.as_json import to_json
from maie_cli.formats.writers import WRITERS, Finished
from maie_cli.options import AsrOptions, EnhancementOptions, SummaryOptions, stage_options
from maie_cli.views import view_of
from maie_client import Client, JobOptions

DEFAULT_TEMPLATE = "meeting_notes_v1"
AT_ONCE = 4

TRANSCRIPT_FORMATS = ("txt", "srt", "vtt")


def process(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Recordings.")],
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
        FormatName | None,
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
    chunk_seconds: Annotated[
        float | None, typer.Option(min=5, max=1800, help="The length that chunks aim at.")
    ] = None,
    label: LabelsOption = None,
    name: Annotated[str, typer.Option(help="What people call the job.")] = "",
    request_id: Annotated[
        str, typer.Option(metavar="ID", help="Sent again with the same FILE, gives the same job.")
    ] = "",
    interactive: Annotated[
        bool, typer.Option("--interactive", help="Somebody waits: serve it before other work.")
    ] = False,
    at_once: Annotated[
        int, typer.Option(min=1, max=64, help="How many FILEs are in work at once.")
    ] = AT_ONCE,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
    gateway: GatewayOption = DEFAULT_GATEWAY,
    tenant: TenantOption = "",
) -> None:
    """Turn recordings into transcripts and summaries.

    Results go to stdout, or into files with --output; progress and errors go to stderr. Ctrl-C
    leaves a job that was accepted running; `maie jobs` looks after it.
    """
    options = _job_options(feature or [], template, language, chunk_seconds)
    options |= stage_options(asr_options or (), enhancement_options or (), summary_options or ())
    options |= {
        "labels": parse_labels(label or ()),
        "display_name": name,
        "request_id": request_id,
        "interactive": interactive,
    }
    if request_id and len(files) > 1:
        raise typer.BadParameter("a request id names one recording", param_hint="--request-id")
    printer = _Printer(output, format_ or ("json" if as_json else None), as_json)
    if len(files) > 1 and output is None and format_ in ("srt", "vtt"):
        raise typer.BadParameter(
            f"several recordings in the format {format_} need --output", param_hint="--format"
        )
    code = run(_process(Client(gateway, tenant=tenant), files, options, printer, at_once, quiet))
    raise typer.Exit(code)


def _job_options(
    features: list[FeatureName], template: str, language: str, chunk_seconds: float | None
) -> JobOptions:
    options: JobOptions = {
        "features": features,
        "template_id": template if features else template or DEFAULT_TEMPLATE,
        "language_code": language,
    }
    if chunk_seconds is not None:
        options["chunk_duration"] = timedelta(seconds=chunk_seconds)
    return options


async def _process(
    client: Client,
    files: list[Path],
    options: JobOptions,
    printer: _Printer,
    at_once: int,
    quiet: bool,
) -> Exit:
    names = [str(file) for file in files]
    async with client:
        with view_of(names, quiet=quiet) as view:
            batch = Batch(client, options, view, at_once)
            outcomes = await batch.run(files)
    for outcome in outcomes:
        await asyncio.to_thread(printer.show, outcome, len(files) > 1)
    printer.list_files()
    return max(outcome.code for outcome in outcomes)


class _Printer:
    """Puts results where they were asked for."""

    def __init__(self, folder: Path | None, format_: str | None, as_json: bool) -> None:
        self._folder = folder
        self._format = format_
        self._as_json = as_json
        self._names = Names()
        self._written: list[Path] = []
        self._complaints: set[str] = set()

    def show(self, outcome: Outcome, one_of_many: bool) -> None:
        """Writes an outcome's results, and says on stderr what went wrong."""
        if outcome.finished is not None:
            self._show_results(outcome.finished, one_of_many)
        if outcome.message:
            self._complain(outcome, one_of_many)

    def list_files(self) -> None:
        """Says which files were written."""
        for path in self._written:
            (note if self._as_json else emit)(str(path))

    def _show_results(self, finished: Finished, one_of_many: bool) -> None:
        if self._folder is not None:
            name = self._names.of(Path(finished.name))
            formats = [self._format] if self._format and not self._as_json else _fitting(finished)
            self._written += write_results(finished, self._folder, name, formats)
        if self._as_json or (self._folder is None and self._format == "json"):
            emit(to_json(finished.job))
        elif self._folder is None and finished.job.HasField("results"):
            if one_of_many and self._format == "txt":
                emit(f"==> {finished.name} <==")
            emit(WRITERS[self._format or "md"](finished))

    def _complain(self, outcome: Outcome, one_of_many: bool) -> None:
        about_file = one_of_many and outcome.code is not Exit.UNREACHABLE
        message = f"{outcome.path}: {outcome.message}" if about_file else outcome.message
        if message not in self._complaints:
            self._complaints.add(message)
            complain(message)


def _fitting(finished: Finished) -> list[str]:
    results = finished.job.results
    text = results.HasField("raw_transcript") or results.HasField("clean_transcript")
    return [name for name in WRITERS if text or name not in TRANSCRIPT_FORMATS]
