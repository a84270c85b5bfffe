"""`maie revisions`: corrected transcripts, which are kept beside what was made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from maie.edit.v1 import edit_pb2 as edit
from maie_cli.arguments import (
    DEFAULT_GATEWAY,
    FormatName,
    GatewayOption,
    JobId,
    JsonOption,
    TenantOption,
)
from maie_cli.console import emit
from maie_cli.exits import run
from maie_cli.found import print_found
from maie_cli.gateway import gateway_client
from maie_cli.listing import Field, Listing
from maie_cli.results_text import results_text
from maie_client import Client
from maie_client.template_of_job import template_of
from maie_formats.as_json import to_json
from maie_formats.clean import plain
from maie_formats.writers import Finished

app = typer.Typer(
    help="List, show, restore and summarise the revisions of a corrected transcript.",
    no_args_is_help=True,
    add_completion=False,
)


@app.command("list")
def list_revisions(
    job_id: JobId,
    as_json: JsonOption = False,
    gateway: GatewayOption = DEFAULT_GATEWAY,
    tenant: TenantOption = "",
) -> None:
    """List the revisions of a transcript, newest first; with --json, one on each line."""
    found = run(_list(gateway_client(gateway, tenant), job_id))
    print_found(
        found,
        _listing,
        as_json=as_json,
        nothing="nobody corrected the transcript; revision 0 is what was made",
    )


@app.command()
def show(
    job_id: JobId,
    revision: Annotated[
        int | None,
        typer.Argument(
            metavar="[REVISION]", min=0, help="The newest if unset.", show_default=False
        ),
    ] = None,
    format_: Annotated[
        FormatName, typer.Option("--format", help="Print the transcript in this format.")
    ] = "txt",
    as_json: JsonOption = False,
    gateway: GatewayOption = DEFAULT_GATEWAY,
    tenant: TenantOption = "",
) -> None:
    """Print a transcript as it is in a revision; 0 is what was made."""
    client = gateway_client(gateway, tenant)
    if as_json:
        emit(to_json(run(_get(client, job_id, revision))))
    else:
        emit(results_text(run(_finished(client, job_id, revision)), format_))


@app.command()
def restore(
    job_id: JobId,
    revision: Annotated[
        int, typer.Argument(metavar="REVISION", min=0, help="The one to go back to.")
    ],
    base: Annotated[
        int | None,
        typer.Option(
            "--base",
            min=0,
            help="The newest revision that you know: a newer one is not replaced. The newest if "
            "unset.",
        ),
    ] = None,
    as_json: JsonOption = False,
    gateway: GatewayOption = DEFAULT_GATEWAY,
    tenant: TenantOption = "",
) -> None:
    """Save a new revision that is equal to an older one. Those between stay."""
    saved = run(_restore(gateway_client(gateway, tenant), job_id, revision, base))
    line = f"revision {saved.revision} is equal to revision {revision}"
    emit(to_json(saved) if as_json else line)


@app.command()
def summarize(
    job_id: JobId,
    revision: Annotated[
        int | None, typer.Option("--revision", min=0, help="The newest if unset.")
    ] = None,
    template: Annotated[
        str,
        typer.Option(
            "--template", metavar="ID", help="The template to fill; the job's own if unset."
        ),
    ] = "",
    gateway: GatewayOption = DEFAULT_GATEWAY,
    tenant: TenantOption = "",
) -> None:
    """Summarise a revision in a job of its own, whose id is printed."""
    emit(run(_summarize(gateway_client(gateway, tenant), job_id, revision, template)))


async def _list(client: Client, job_id: str) -> list[edit.Revision]:
    async with client:
        return await client.revisions.list(job_id)


async def _get(client: Client, job_id: str, revision: int | None) -> edit.GetRevisionResponse:
    async with client:
        return await client.revisions.get(job_id, revision)


async def _finished(client: Client, job_id: str, revision: int | None) -> Finished:
    async with client:
        found = await client.get_job(job_id, revision)
        template = await template_of(client, found)
    return Finished(job=found, name=found.config.filename or job_id, template=template)


async def _restore(client: Client, job_id: str, revision: int, base: int | None) -> edit.Revision:
    async with client:
        if base is None:
            newest = await client.revisions.list(job_id)
            base = newest[0].revision if newest else 0
        return await client.revisions.revert(job_id, base, revision)


async def _summarize(client: Client, job_id: str, revision: int | None, template: str) -> str:
    async with client:
        return await client.revisions.summarize(job_id, revision=revision, template_id=template)


def _listing(found: Sequence[edit.Revision]) -> Listing:
    fields = (
        Field(header="revision"),
        Field(header="saved (UTC)"),
        Field(header="by", least=8),
        Field(header="changed lines"),
        Field(header="equal to"),
    )
    return Listing(fields, [_row(each) for each in found])


def _row(each: edit.Revision) -> tuple[str, ...]:
    return (
        str(each.revision),
        f"{each.save_time.ToDatetime():%Y-%m-%d %H:%M}",
        plain(each.author),
        str(each.changed_segments),
        f"revision {each.reverted_to}" if each.HasField("reverted_to") else "",
    )
