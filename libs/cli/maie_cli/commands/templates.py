"""`maie templates`: the templates that summaries fill, and the tenant's own ones."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from maie.summary.v1 import summary_pb2 as summary
from maie.template.v1 import template_pb2 as template
from maie_cli.arguments import DEFAULT_GATEWAY, GatewayOption, JsonOption, TenantOption
from maie_cli.console import emit
from maie_cli.exits import run
from maie_cli.found import print_found
from maie_cli.gateway import gateway_client
from maie_cli.listing import Field, Listing
from maie_client import Client
from maie_formats.as_json import to_json
from maie_formats.clean import plain

# The files of a template, as in a deployment's folder of templates.
SCHEMA_FILE = "schema.json"
PROMPT_FILE = "prompt.jinja"
EXAMPLES_FILE = "examples.json"
DEPLOYMENT = "deployment"

app = typer.Typer(
    help="List the templates that a summary can fill, or make, show and delete your own.",
    invoke_without_command=True,
    add_completion=False,
)
TemplateId = Annotated[str, typer.Argument(metavar="ID", help="The template's id.")]


@app.callback()
def templates(
    context: typer.Context,
    as_json: JsonOption = False,
    gateway: GatewayOption = DEFAULT_GATEWAY,
    tenant: TenantOption = "",
) -> None:
    """List the templates that a summary can fill, or make, show and delete your own."""
    if context.invoked_subcommand is None:
        list_templates(as_json, gateway, tenant)


@app.command("list")
def list_templates(
    as_json: JsonOption = False, gateway: GatewayOption = DEFAULT_GATEWAY, tenant: TenantOption = ""
) -> None:
    """List the templates that a summary can fill; with --json, one on each line."""
    found = run(_list(gateway_client(gateway, tenant)))
    print_found(found, _listing, as_json=as_json)


@app.command()
def show(
    template_id: TemplateId,
    version: Annotated[
        int | None, typer.Option("--version", min=0, help="An older version; the newest if unset.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            metavar="FOLDER",
            help="Write schema.json, prompt.jinja and examples.json, for `maie templates put`.",
        ),
    ] = None,
    as_json: JsonOption = False,
    gateway: GatewayOption = DEFAULT_GATEWAY,
    tenant: TenantOption = "",
) -> None:
    """Show a template with its schema and prompt."""
    found = run(_show(gateway_client(gateway, tenant), template_id, version, output))
    if as_json:
        emit(to_json(found))
    elif output is None:
        emit(f"{plain(found.title)} ({_origin(found)})\n{plain(found.description)}\n")
        for part in (found.schema_json, found.prompt, found.examples_json):
            for line in part.splitlines():
                emit(" " * (len(line) - len(line.lstrip(" "))) + plain(line))


@app.command()
def put(
    template_id: TemplateId,
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER", help="It holds schema.json, prompt.jinja and, if any, examples.json."
        ),
    ],
    base: Annotated[
        int | None,
        typer.Option(
            "--base",
            min=0,
            help="The version that was changed: a newer one is not replaced. The newest if unset.",
        ),
    ] = None,
    as_json: JsonOption = False,
    gateway: GatewayOption = DEFAULT_GATEWAY,
    tenant: TenantOption = "",
) -> None:
    """Save a new template of yours, or the next version of one."""
    saved = run(_put(gateway_client(gateway, tenant), template_id, folder, base))
    emit(to_json(saved) if as_json else f"{template_id} has version {saved.version}")


@app.command()
def versions(
    template_id: TemplateId,
    as_json: JsonOption = False,
    gateway: GatewayOption = DEFAULT_GATEWAY,
    tenant: TenantOption = "",
) -> None:
    """List the versions of a template of yours, newest first."""
    found = run(_versions(gateway_client(gateway, tenant), template_id))
    print_found(
        found,
        _versions_listing,
        as_json=as_json,
        nothing="the template comes with the deployment, and has no versions",
    )


@app.command()
def delete(
    template_id: TemplateId, gateway: GatewayOption = DEFAULT_GATEWAY, tenant: TenantOption = ""
) -> None:
    """Delete a template of yours with all versions; jobs keep the one that they were given."""
    run(_delete(gateway_client(gateway, tenant), template_id))
    emit(f"{template_id} is deleted")


async def _list(client: Client) -> list[summary.Template]:
    async with client:
        return await client.list_templates()


async def _show(
    client: Client, template_id: str, version: int | None, output: Path | None
) -> summary.Template:
    async with client:
        found = await client.get_template(template_id, version)
    if output is not None:
        await asyncio.to_thread(_write, output, found)
    return found


async def _put(
    client: Client, template_id: str, folder: Path, base: int | None
) -> template.SavedTemplate:
    schema_json, prompt, examples_json = await asyncio.to_thread(_read, folder)
    async with client:
        if base is None:
            listed = {each.template_id: each.version for each in await client.list_templates()}
            base = listed.get(template_id, 0)
        return await client.templates.save(template_id, base, schema_json, prompt, examples_json)


async def _versions(client: Client, template_id: str) -> list[template.SavedTemplate]:
    async with client:
        return await client.templates.versions(template_id)


async def _delete(client: Client, template_id: str) -> None:
    async with client:
        await client.templates.delete(template_id)


def _read(folder: Path) -> tuple[str, str, str]:
    """The schema, the prompt and the examples in a folder; examples may be missing."""
    examples = folder / EXAMPLES_FILE
    return (
        _text(folder / SCHEMA_FILE),
        _text(folder / PROMPT_FILE),
        _text(examples) if examples.exists() else "",
    )


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise typer.BadParameter(f"{file} is not UTF-8 text", param_hint="FOLDER") from error


def _write(folder: Path, found: summary.Template) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SCHEMA_FILE).write_text(found.schema_json, encoding="utf-8")
    (folder / PROMPT_FILE).write_text(found.prompt, encoding="utf-8")
    if found.examples_json:
        (folder / EXAMPLES_FILE).write_text(found.examples_json, encoding="utf-8")


def _origin(found: summary.Template) -> str:
    return f"version {found.version}" if found.version else DEPLOYMENT


def _listing(found: Sequence[summary.Template]) -> Listing:
    fields = (
        Field(header="id"),
        Field(header="from"),
        Field(header="title", least=12),
        Field(header="description", least=20),
    )
    rows = [
        (
            plain(each.template_id),
            f"you, version {each.version}" if each.version else DEPLOYMENT,
            plain(each.title),
            plain(each.description),
        )
        for each in found
    ]
    return Listing(fields, rows)


def _versions_listing(found: Sequence[template.SavedTemplate]) -> Listing:
    fields = (
        Field(header="version"),
        Field(header="saved"),
        Field(header="by", least=12),
        Field(header="sha256", least=12),
    )
    rows = [
        (
            str(each.version),
            f"{each.save_time.ToDatetime():%Y-%m-%d %H:%M}",
            plain(each.author),
            each.sha256[:12],
        )
        for each in found
    ]
    return Listing(fields, rows)
