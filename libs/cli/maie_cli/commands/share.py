"""`maie share`: links by which others read a recording."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from maie.share.v1 import share_pb2 as share
from maie_cli.arguments import DEFAULT_GATEWAY, GatewayOption, JobId, JsonOption, TenantOption
from maie_cli.console import emit, note
from maie_cli.exits import Exit, leave, run
from maie_cli.found import print_found
from maie_cli.gateway import gateway_client
from maie_cli.listing import Field, Listing
from maie_cli.times import minute
from maie_client import Client
from maie_formats.as_json import to_json
from maie_formats.clean import plain

CREATE = "create"


class _CreatesUnlessNamed(TyperGroup):
    """Takes `maie share JOB` for `maie share create JOB`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """See click's Command."""
        if args and args[0] not in (*self.commands, *ctx.help_option_names):
            args = [CREATE, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_CreatesUnlessNamed,
    help="Let others read a recording by a link: maie share JOB makes one.",
    no_args_is_help=True,
    add_completion=False,
)


@app.command(CREATE)
def create(
    job_id: JobId,
    days: Annotated[
        float | None,
        typer.Option(min=0.001, help="How long the link works; as the mesh says if unset."),
    ] = None,
    audio: Annotated[
        bool, typer.Option("--audio", help="Let its readers have the recording as well.")
    ] = False,
    web: Annotated[
        str,
        typer.Option(
            "--web",
            metavar="URL",
            envvar="MAIE_WEB_PUBLIC_URL",
            help="The web part's address, such as https://maie.example.com.",
        ),
    ] = "",
    as_json: JsonOption = False,
    gateway: GatewayOption = DEFAULT_GATEWAY,
    tenant: TenantOption = "",
) -> None:
    """Make a link to a recording. It is shown once: nobody can read it later."""
    if "@" in web:
        leave(
            "The web part's address takes no user and password: links are for others.", Exit.USAGE
        )
    lifetime = None if days is None else timedelta(days=days)
    made = run(_create(gateway_client(gateway, tenant), job_id, lifetime, audio))
    if as_json:
        emit(to_json(made))
        return
    emit(f"{web.rstrip('/')}/s/#{made.token}")
    if not web:
        note("put the address of your web part before it, or name it with --web URL")
    note(
        f"this is share {made.share.share_id}, until {minute(made.share.expire_time)} UTC; keep "
        "the link now, since it is not shown again"
    )


@app.command("list")
def list_shares(
    job_id: Annotated[
        str, typer.Argument(metavar="[JOB]", help="Only shares of this job.", show_default=False)
    ] = "",
    as_json: JsonOption = False,
    gateway: GatewayOption = DEFAULT_GATEWAY,
    tenant: TenantOption = "",
) -> None:
    """List the shares that work, without their links; with --json, one on each line."""
    found = run(_list(gateway_client(gateway, tenant), job_id))
    print_found(
        found,
        _listing,
        as_json=as_json,
        nothing="nothing is shared; make a link with: maie share JOB",
    )


@app.command()
def revoke(
    job_id: JobId,
    share_id: Annotated[str, typer.Argument(metavar="SHARE", help="The share's id.")],
    gateway: GatewayOption = DEFAULT_GATEWAY,
    tenant: TenantOption = "",
) -> None:
    """End a share at once, at all gateways."""
    run(_revoke(gateway_client(gateway, tenant), job_id, share_id))
    emit(f"{share_id} is revoked")


async def _create(
    client: Client, job_id: str, lifetime: timedelta | None, audio: bool
) -> share.CreateShareResponse:
    async with client:
        return await client.shares.create(job_id, lifetime=lifetime, audio=audio)


async def _list(client: Client, job_id: str) -> list[share.Share]:
    async with client:
        return await client.shares.list(job_id)


async def _revoke(client: Client, job_id: str, share_id: str) -> None:
    async with client:
        await client.shares.revoke(job_id, share_id)


def _listing(found: Sequence[share.Share]) -> Listing:
    fields = (
        Field(header="share"),
        Field(header="job"),
        Field(header="shows", least=10),
        Field(header="made by", least=8),
        Field(header="until (UTC)"),
    )
    return Listing(fields, [_row(each) for each in found])


def _row(each: share.Share) -> tuple[str, ...]:
    shows = "text and audio" if each.audio else "text"
    return (
        plain(each.share_id),
        plain(each.job_id),
        shows,
        plain(each.created_by),
        minute(each.expire_time),
    )
