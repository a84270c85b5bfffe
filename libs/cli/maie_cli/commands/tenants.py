"""`maie tenants`: what tenants use, and their limits."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from typing import Annotated

import typer

from maie.tenant.v1 import tenant_pb2 as tenants
from maie_cli.arguments import DEFAULT_GATEWAY, GatewayOption, JsonOption
from maie_cli.console import emit, note
from maie_cli.exits import Exit, leave, run
from maie_cli.found import print_found
from maie_cli.gateway import gateway_client
from maie_cli.listing import Field, Listing
from maie_client import Client
from maie_formats.as_json import to_json
from maie_formats.clean import plain

HOUR_SECONDS = 3600

app = typer.Typer(
    help="List tenants, set their limits and remove them; needs a key with the scope admin.",
    no_args_is_help=True,
    add_completion=False,
)


class LimitName(enum.StrEnum):
    """The limits that a tenant may have of its own."""

    REQUESTS_PER_SECOND = "requests_per_second"
    REQUESTS_BURST = "requests_burst"
    STREAMS = "streams"
    WATCHES = "watches"
    UPLOADS = "uploads"
    LIVE_SESSIONS = "live_sessions"
    ACTIVE_JOBS = "active_jobs"
    AUDIO_HOURS_PER_DAY = "audio_hours_per_day"
    VOICES = "voices"


@app.command("list")
def list_tenants(as_json: JsonOption = False, gateway: GatewayOption = DEFAULT_GATEWAY) -> None:
    """List the tenants with what they use; with --json, one on each line with its limits."""
    found = run(_list(gateway_client(gateway)))
    print_found(found, _listing, as_json=as_json, nothing="there are no tenants yet")


@app.command()
def limit(
    tenant: Annotated[str, typer.Argument(metavar="TENANT", help="The tenant's name.")],
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=NUMBER",
            help=f"A limit, as often as needed: {', '.join(LimitName)}.",
        ),
    ] = None,
    unset: Annotated[
        list[LimitName] | None,
        typer.Option(help="Take a limit of its own away; as often as needed."),
    ] = None,
    as_json: JsonOption = False,
    gateway: GatewayOption = DEFAULT_GATEWAY,
) -> None:
    """Set limits of a tenant, and show those that it has. Without an option, only show them."""
    wanted = _parsed(set_ or ())
    found = run(_limit(gateway_client(gateway), tenant, wanted, unset or ()))
    if as_json:
        emit(to_json(found))
        return
    for field in tenants.TenantLimits.DESCRIPTOR.fields:
        emit(f"{field.name:<22}{_shown(found, field.name)}")


@app.command()
def remove(
    tenant: Annotated[str, typer.Argument(metavar="TENANT", help="The tenant's name.")],
    confirm: Annotated[
        str,
        typer.Option(
            "--confirm", metavar="NAME", help="The tenant's name again; it is asked for if unset."
        ),
    ] = "",
    gateway: GatewayOption = DEFAULT_GATEWAY,
) -> None:
    """Remove a tenant for ever, with its keys, recordings, shares, templates, voices and the rest.

    It may be stopped: gateways go on by themselves, and the same command goes on at once.
    """
    if not confirm:
        note(f"this removes {plain(tenant)} with all of its recordings, for ever")
        confirm = typer.prompt("The tenant's name again", err=True)
    if confirm != tenant:
        leave("That is not the tenant's name, so nothing is removed.", Exit.USAGE)
    removed = run(_remove(gateway_client(gateway), tenant))
    emit(f"{tenant} is gone, with {removed} jobs")


async def _remove(client: Client, tenant: str) -> int:
    async with client, aclosing(client.tenants.remove(tenant)) as progress:
        return [removed async for removed in progress][-1]


async def _list(client: Client) -> list[tenants.Tenant]:
    async with client:
        return await client.tenants.list()


async def _limit(
    client: Client, tenant: str, wanted: Mapping[str, float], unset: Sequence[LimitName]
) -> tenants.Tenant:
    async with client:
        found = await _find(client, tenant)
        if wanted or unset:
            limits = found.own_limits
            for name, number in wanted.items():
                setattr(limits, name, number)
            for each in unset:
                limits.ClearField(each.value)
            await client.tenants.set_limits(tenant, limits, found.limits_revision)
            found = await _find(client, tenant)
    return found


async def _find(client: Client, tenant: str) -> tenants.Tenant:
    named = {each.tenant: each for each in await client.tenants.list()}
    return named.get(tenant, tenants.Tenant(tenant=tenant))


def _parsed(pairs: Sequence[str]) -> dict[str, float]:
    """Parses "active_jobs=20".

    Raises:
        typer.BadParameter: It is not of that form.
    """
    fields = tenants.TenantLimits.DESCRIPTOR.fields_by_name
    wanted: dict[str, float] = {}
    for pair in pairs:
        name, _, number = pair.partition("=")
        try:
            kind = int if fields[name].type == fields[name].TYPE_INT32 else float
            wanted[name] = kind(number)
        except (KeyError, ValueError):
            raise typer.BadParameter(
                f"write NAME=NUMBER, such as active_jobs=20, not {pair!r}; the names are "
                f"{', '.join(LimitName)}",
                param_hint="--set",
            ) from None
    return wanted


def _shown(found: tenants.Tenant, name: str) -> str:
    own = found.own_limits.HasField(name)
    limit = f"{getattr(found.limits, name):g}" if found.limits.HasField(name) else "any"
    return f"{limit} (its own)" if own else limit


def _listing(found: Sequence[tenants.Tenant]) -> Listing:
    fields = (
        Field(header="tenant"),
        Field(header="jobs"),
        Field(header="running"),
        Field(header="waiting"),
        Field(header="live"),
        Field(header="hours today"),
        Field(header="uploads"),
        Field(header="keys"),
    )
    return Listing(fields, [_row(each) for each in found])


def _row(each: tenants.Tenant) -> tuple[str, ...]:
    use, limits = each.use, each.limits
    hours = f"{use.audio_today.ToSeconds() / HOUR_SECONDS:.1f}"
    if limits.HasField("audio_hours_per_day"):
        hours += f" of {limits.audio_hours_per_day:g}"
    return (
        plain(each.tenant),
        str(use.jobs),
        f"{use.running_jobs} of {limits.active_jobs}",
        str(use.held_jobs),
        str(use.live_sessions),
        hours,
        str(use.unfinished_uploads),
        str(use.keys),
    )
