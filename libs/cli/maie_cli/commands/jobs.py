"""`maie jobs`: manage jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Annotated

import typer

from maie.job.v1 import job_pb2 as job
from maie_cli.arguments import (
    DEFAULT_GATEWAY,
    FormatName,
    GatewayOption,
    JobId,
    JsonOption,
    LabelsOption,
    TenantOption,
    parse_labels,
    parse_speaker_names,
)
from maie_cli.batch import exit_of_job
from maie_cli.console import complain, emit, err, note, out, warn
from maie_cli.exits import Exit, leave, run
from maie_cli.files import safe_name
from maie_cli.filters import (
    LabelFilter,
    LanguageFilter,
    SinceFilter,
    SpeakerFilter,
    StateFilter,
    TemplateFilter,
    UntilFilter,
    filters_of,
)
from maie_cli.found import print_found
from maie_cli.gateway import gateway_client
from maie_cli.listing import Field, Listing
from maie_cli.names import state_name
from maie_cli.results_text import results_text
from maie_cli.together import Together
from maie_cli.views import view_of
from maie_client import Client, JobFilters
from maie_client.download import save
from maie_client.template_of_job import template_of
from maie_formats.as_json import to_json
from maie_formats.clean import plain
from maie_formats.warnings import sentences
from maie_formats.writers import SPEAKER_FORMATS, TRANSCRIPT_FORMATS, Finished
from maie_pipeline.states import FINAL_STATES

app = typer.Typer(help="Look after jobs.", no_args_is_help=True, add_completion=False)


@app.command("list")
def list_jobs(
    state: StateFilter = None,
    label: LabelFilter = None,
    since: SinceFilter = None,
    until: UntilFilter = None,
    template: TemplateFilter = "",
    language: LanguageFilter = "",
    speaker: SpeakerFilter = "",
    limit: Annotated[int, typer.Option(min=1, help="The most jobs to list.")] = 50,
    as_json: JsonOption = False,
    gateway: GatewayOption = DEFAULT_GATEWAY,
    tenant: TenantOption = "",
) -> None:
    """List jobs, newest first; with --json, one on each line."""
    filters = filters_of(
        states=state,
        labels=label,
        since=since,
        until=until,
        template=template,
        language=language,
        speaker=speaker,
    )
    found = run(_list(gateway_client(gateway, tenant), filters, limit))
    print_found(
        found,
        _listing,
        as_json=as_json,
        nothing="there are no such jobs",
    )


@app.command()
def show(
    job_id: JobId,
    format_: Annotated[
        FormatName | None, typer.Option("--format", help="Print the results in this format.")
    ] = None,
    as_json: JsonOption = False,
    gateway: GatewayOption = DEFAULT_GATEWAY,
    tenant: TenantOption = "",
) -> None:
    """Print a job's results as far as they are there. Exits 1 for a job that failed."""
    finished = run(_show(gateway_client(gateway, tenant), job_id))
    # Other formats contain the warnings.
    if format_ in (*TRANSCRIPT_FORMATS, *SPEAKER_FORMATS) and not as_json:
        _warn("", finished.job)
    _print(finished, "json" if as_json else format_)
    _exit(finished.job)


@app.command()
def watch(
    job_ids: Annotated[
        list[str] | None, typer.Argument(metavar="JOB", help="The jobs' ids; all that run if none.")
    ] = None,
    as_json: JsonOption = False,
    gateway: GatewayOption = DEFAULT_GATEWAY,
    tenant: TenantOption = "",
) -> None:
    """Follow jobs to their end. Exits 1 where one of them failed.

    The results of a single JOB are printed. Several, or all that run and those that come meanwhile,
    are shown in a live table, or with a line for each change where there is no terminal; with
    --json, each is printed with its results on a line as it ends.
    """
    client = gateway_client(gateway, tenant)
    if job_ids is not None and len(set(job_ids)) == 1:
        finished, has_warned = run(_watch(client, job_ids[0]))
        if not has_warned:
            _warn("", finished.job)
        _print(finished, "json" if as_json else None)
        _exit(finished.job)
    else:
        raise typer.Exit(run(_watch_together(client, job_ids or (), as_json)))


@app.command()
def cancel(
    job_id: JobId,
    as_json: JsonOption = False,
    gateway: GatewayOption = DEFAULT_GATEWAY,
    tenant: TenantOption = "",
) -> None:
    """Cancel a job. A finished job stays as it is."""
    _emit_state(run(_cancel(gateway_client(gateway, tenant), job_id)), as_json)


@app.command()
def retry(
    job_id: JobId,
    as_json: JsonOption = False,
    gateway: GatewayOption = DEFAULT_GATEWAY,
    tenant: TenantOption = "",
) -> None:
    """Take up a failed or cancelled job where it stopped."""
    _emit_state(run(_retry(gateway_client(gateway, tenant), job_id)), as_json)


@app.command()
def update(
    job_id: JobId,
    name: Annotated[str | None, typer.Option(help="The display name from now on.")] = None,
    label: LabelsOption = None,
    speaker: Annotated[
        list[str] | None,
        typer.Option(metavar="ID=NAME", help="A speaker's name, such as S1=Anna; repeatable."),
    ] = None,
    as_json: JsonOption = False,
    gateway: GatewayOption = DEFAULT_GATEWAY,
    tenant: TenantOption = "",
) -> None:
    """Give a job another name or labels, or names to its speakers; KEY= and ID= take one away."""
    if name is None and not label and not speaker:
        raise typer.BadParameter(
            "say what to change: --name, --label or --speaker", param_hint="JOB"
        )
    labels, names = parse_labels(label or ()), parse_speaker_names(speaker or ())
    updated = run(_update(gateway_client(gateway, tenant), job_id, name, labels, names))
    shown = " ".join(f"{key}={value}" for key, value in sorted(updated.labels.items()))
    line = f"{job_id} {plain(updated.display_name)} {plain(shown)}".strip()
    emit(to_json(updated) if as_json else line)


@app.command()
def audio(
    job_id: JobId,
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE",
            help="Where to save it; by default a file of the recording's name in this folder.",
        ),
    ] = None,
    digest: Annotated[
        bool, typer.Option("--digest", help="Save its summary as speech instead.")
    ] = False,
    gateway: GatewayOption = DEFAULT_GATEWAY,
    tenant: TenantOption = "",
) -> None:
    """Save the audio of a job: a recording as it was sent, or what a live session kept."""
    path, size = run(_save_audio(gateway_client(gateway, tenant), job_id, file, digest=digest))
    emit(f"{path} {size} bytes")


@app.command()
def delete(
    job_id: JobId, gateway: GatewayOption = DEFAULT_GATEWAY, tenant: TenantOption = ""
) -> None:
    """Remove a job and all of its traces."""
    run(_delete(gateway_client(gateway, tenant), job_id))
    emit(f"{job_id} is gone")


async def _list(client: Client, filters: JobFilters, limit: int) -> list[job.Job]:
    found: list[job.Job] = []
    async with client:
        listed = client.list_jobs(page_size=min(limit, 1000), **filters)
        async with aclosing(listed) as jobs:
            async for each in jobs:
                found.append(each)
                if len(found) == limit:
                    break
    return found


async def _save_audio(
    client: Client, job_id: str, file: Path | None, *, digest: bool
) -> tuple[Path, int]:
    async with client, aclosing(client.get_audio(job_id, digest=digest)) as parts:
        info = (await anext(parts)).info
        path = file or Path(safe_name(info.filename or job_id))
        if file is None and path.exists():
            leave(f"There is a file {path} already; say where to save the audio", Exit.USAGE)
        await save(parts, path)
    return path, info.size_bytes


async def _retry(client: Client, job_id: str) -> job.Job:
    async with client:
        return await client.retry_job(job_id)


async def _update(
    client: Client,
    job_id: str,
    name: str | None,
    labels: Mapping[str, str],
    speaker_names: Mapping[str, str],
) -> job.Job:
    async with client:
        return await client.update_job(
            job_id, display_name=name, labels=labels, speaker_names=speaker_names
        )


async def _delete(client: Client, job_id: str) -> None:
    async with client:
        await client.delete_job(job_id)


async def _show(client: Client, job_id: str) -> Finished:
    async with client:
        return await _finished(client, await client.get_job(job_id))


async def _watch(client: Client, job_id: str) -> tuple[Finished, bool]:
    done = job.Job()
    with view_of([job_id]) as view:
        async with client:
            async with aclosing(client.watch_job(job_id)) as events:
                async for event in events:
                    view.show(job_id, event)
                    done = event.finished.job if event.HasField("finished") else done
            return await _finished(client, done), view.shows_warnings


async def _watch_together(client: Client, job_ids: Sequence[str], as_json: bool) -> Exit:
    code, complaints, ends = Exit.OK, list[str](), list[job.Job]()

    def ended(done: job.Job) -> None:
        nonlocal code
        ends.append(done)
        if as_json:
            emit(to_json(done))
        worse, message = exit_of_job(done)
        code = max(code, worse)
        if message:
            complaints.append(f"{done.job_id}: {message}")

    async with client:
        table = out.is_terminal and not as_json
        together = Together(client, err if as_json else out, ended, table=table)
        rows = await (together.follow(job_ids) if job_ids else together.follow_running())
    if not rows:
        note("no job is running")
    if table:  # the table shows only their number
        for done in ends:
            _warn(f"{done.job_id}: ", done)
    for complaint in complaints:
        complain(complaint)
    return code


async def _cancel(client: Client, job_id: str) -> job.Job:
    async with client:
        return await client.cancel_job(job_id)


async def _finished(client: Client, done: job.Job) -> Finished:
    template = await template_of(client, done)
    return Finished(job=done, name=done.config.filename or done.job_id, template=template)


def _print(finished: Finished, format_: str | None) -> None:
    if format_ == "json":
        emit(to_json(finished.job))
        return
    if finished.job.state != job.JOB_STATE_COMPLETE:
        note(f"job {finished.job.job_id} is {state_name(finished.job.state)}")
    if finished.is_readable:
        emit(results_text(finished, format_ or "md"))


def _warn(name: str, done: job.Job) -> None:
    for each in sentences(done.results):
        warn(f"{name}{each}")


def _emit_state(changed: job.Job, as_json: bool) -> None:
    emit(to_json(changed) if as_json else f"{changed.job_id} {state_name(changed.state)}")


def _exit(done: job.Job) -> None:
    if done.state not in FINAL_STATES:
        return
    code, message = exit_of_job(done)
    if code is not Exit.OK:
        complain(message)
        raise typer.Exit(code)


def _listing(found: Sequence[job.Job]) -> Listing:
    fields = (
        Field(header="job"),
        Field(header="state"),
        Field(header="name", least=10),
        Field(header="accepted", least=10),
    )
    return Listing(
        fields,
        [
            (
                each.job_id,
                state_name(each.state),
                plain(each.display_name or each.config.filename),
                f"{each.create_time.ToDatetime():%Y-%m-%d %H:%M:%S} UTC",
            )
            for each in found
        ],
    )
