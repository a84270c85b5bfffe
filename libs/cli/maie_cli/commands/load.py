"""`maie load`: many jobs or live streams at once, and figures of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from maie_cli.arguments import (
    DEFAULT_GATEWAY,
    FeatureName,
    GatewayOption,
    LabelsOption,
    TenantOption,
    parse_labels,
)
from maie_cli.commands.process import job_options
from maie_cli.console import emit, note, out
from maie_cli.exits import EXIT_CODES, run
from maie_cli.gateway import gateway_client
from maie_cli.live.arguments import CAPTIONS_ONLY, INTERRUPTED
from maie_cli.live.files import NEEDS_MESH
from maie_cli.live.sources import SourceError
from maie_cli.live.stopping import stoppable
from maie_cli.load.jobs import Jobs
from maie_cli.load.load import Load, Work
from maie_cli.load.progress import shown
from maie_cli.load.report import print_result
from maie_cli.load.result import JOBS, STREAMS, exit_of, result_of
from maie_cli.load.runs import Run
from maie_client import Client, JobOptions, LiveOptions
from maie_formats.clean import plain

COUNT = 100
AT_ONCE = 10
# One process hardly keeps pace with more.
MOST_AT_ONCE = 1000
# Streams of one recording that begin together would end all their utterances together.
APART_SECONDS = 0.25
STOPPING = "cancelling what runs; Ctrl-C once more leaves it as it is"

app = typer.Typer(add_completion=False)


@dataclass(kw_only=True, frozen=True, slots=True)
class _Wanted:
    """What to do.

    Attributes:
        recording: The file.
        count: How often.
        at_once: How many at a time.
        live: The options of live streams; None for jobs.
        jobs: The options of jobs.
        delete: Whether the jobs are deleted at the end.
        as_json: Whether the figures are printed as JSON.
        quiet: Whether progress is not shown.
    """

    recording: Path
    count: int
    at_once: int
    live: LiveOptions | None
    jobs: JobOptions
    delete: bool
    as_json: bool
    quiet: bool


@app.command(epilog=EXIT_CODES)
def load(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A recording.")],
    count: Annotated[
        int | None,
        typer.Option(
            "--count",
            "-n",
            min=1,
            metavar="N",
            help=f"How many in all; {COUNT} jobs, or as many live streams as run at a time, if "
            "unset.",
        ),
    ] = None,
    at_once: Annotated[
        int,
        typer.Option(
            "--at-once", "-c", min=1, max=MOST_AT_ONCE, metavar="N", help="How many at a time."
        ),
    ] = AT_ONCE,
    live: Annotated[
        bool, typer.Option("--live", help="Speak FILE as live streams, at its own pace.")
    ] = False,
    feature: Annotated[
        list[FeatureName] | None,
        typer.Option(metavar="FEATURE", help="What jobs make; see `maie process`."),
    ] = None,
    template: Annotated[
        str, typer.Option(metavar="ID", help="The template of jobs' summaries, likewise.")
    ] = "",
    language: Annotated[str, typer.Option(metavar="TAG", help="The language, such as en.")] = "",
    label: LabelsOption = None,
    interactive: Annotated[
        bool, typer.Option("--interactive", help="Submit jobs before other work, as for people.")
    ] = False,
    delete: Annotated[bool, typer.Option("--delete", help="Delete the jobs at the end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
    gateway: GatewayOption = DEFAULT_GATEWAY,
    tenant: TenantOption = "",
) -> None:
    """Submit FILE many times, follow each job, and print how long they took.

    Figures go to stdout, progress to stderr. Ctrl-C cancels what runs, and prints what there is.
    """
    if live and (feature or template or interactive):
        raise typer.BadParameter("live streams make captions only", param_hint="--live")
    name, labels = plain(file.name), parse_labels(label or ())
    wanted = _Wanted(
        recording=file,
        count=count or (at_once if live else COUNT),
        at_once=at_once,
        live={
            "features": CAPTIONS_ONLY,
            "language_code": language,
            "labels": labels,
            "display_name": name,
        }
        if live
        else None,
        jobs={
            **job_options(feature or [], template, language, None),
            "labels": labels,
            "display_name": name,
            "interactive": interactive,
        },
        delete=delete,
        as_json=as_json,
        quiet=quiet,
    )
    raise typer.Exit(run(_load(gateway_client(gateway, tenant), wanted)))


async def _load(client: Client, wanted: _Wanted) -> int:
    async with client:
        work = await _work(client, wanted)
        # Whether a gateway answers at all is said once, not of each job.
        await client.health()
        load = Load(
            work,
            count=wanted.count,
            at_once=wanted.at_once,
            apart_seconds=APART_SECONDS if wanted.live else 0.0,
        )
        await _run(load, quiet=wanted.quiet)
        _print(load, wanted)
        if wanted.delete:
            await _delete(client, load.runs)
    return INTERRUPTED if load.stopped else exit_of(load)


async def _work(client: Client, wanted: _Wanted) -> Work:
    """What is done over and over.

    Raises:
        OSError: The recording cannot be read.
    """
    if wanted.live is None:
        wanted.recording.open("rb").close()
        return Jobs(client, wanted.recording, wanted.jobs)
    try:
        from maie_cli.load.recording import read_recording
        from maie_cli.load.streams import Streams
    except ImportError:
        raise SourceError(NEEDS_MESH) from None
    return Streams(client, await read_recording(wanted.recording), wanted.live)


async def _run(load: Load, *, quiet: bool) -> None:
    def stop() -> None:
        note(STOPPING)
        load.stop()

    async with shown(load, quiet=quiet):
        with stoppable(stop):
            try:
                await load.run()
            except asyncio.CancelledError:  # Ctrl-C twice
                if not load.stopped:
                    raise


def _print(load: Load, wanted: _Wanted) -> None:
    kind = STREAMS if wanted.live else JOBS
    name = plain(wanted.recording.name)
    result = result_of(load, kind, recording=name, at_once=min(wanted.at_once, wanted.count))
    if wanted.as_json:
        emit(json.dumps(asdict(result)))
    else:
        print_result(out, result, kind)


async def _delete(client: Client, runs: Sequence[Run]) -> None:
    for each in runs:
        if each.job_id:
            await client.delete_job(each.job_id)
