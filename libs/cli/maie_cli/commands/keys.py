"""`maie keys`: who may call a gateway."""

from __future__ import annotations

import enum
import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from google.protobuf.timestamp_pb2 import Timestamp

from maie.access.v1 import access_pb2 as access
from maie_cli.arguments import DEFAULT_GATEWAY, GatewayOption, JsonOption
from maie_cli.console import emit, note
from maie_cli.exits import run
from maie_cli.found import print_found
from maie_cli.gateway import gateway_client
from maie_cli.listing import Field, Listing
from maie_client import Client
from maie_core.api_keys import BOOTSTRAP_ID, new_key
from maie_formats.as_json import to_json
from maie_formats.clean import plain

app = typer.Typer(
    help="Make, list, rotate and revoke API keys; needs a key with the scope admin.",
    no_args_is_help=True,
    add_completion=False,
)


class KeyScope(enum.StrEnum):
    """The scopes that a key may have."""

    SUBMIT = "submit"
    READ = "read"
    LIVE = "live"
    ADMIN = "admin"


SCOPES: dict[KeyScope, access.Scope] = {
    KeyScope.SUBMIT: access.SCOPE_SUBMIT,
    KeyScope.READ: access.SCOPE_READ,
    KeyScope.LIVE: access.SCOPE_LIVE,
    KeyScope.ADMIN: access.SCOPE_ADMIN,
}
KeyId = Annotated[str, typer.Argument(metavar="KEY", help="The key's id.")]
OutputOption = Annotated[
    Path | None,
    typer.Option(
        "--output", metavar="FILE", help="Write the key to this file, for its owner only."
    ),
]


@app.command()
def create(
    scope: Annotated[
        list[KeyScope], typer.Option("--scope", help="What the key allows; as often as needed.")
    ],
    tenant: Annotated[
        str, typer.Option("--tenant", metavar="NAME", help="The tenant that the key acts for.")
    ] = "",
    name: Annotated[str, typer.Option("--name", help="What the key is for.")] = "",
    days: Annotated[
        float | None, typer.Option(min=0.001, help="How long the key works; forever if unset.")
    ] = None,
    output: OutputOption = None,
    as_json: JsonOption = False,
    gateway: GatewayOption = DEFAULT_GATEWAY,
) -> None:
    """Make a key. It is shown once: nobody can read it later."""
    scopes = [SCOPES[each] for each in scope]
    lifetime = None if days is None else timedelta(days=days)
    made = run(_create(gateway_client(gateway), scopes, tenant, name, lifetime))
    _hand_over(made, made.api_key, output, as_json)


@app.command("list")
def list_keys(
    tenant: Annotated[
        str, typer.Option("--tenant", metavar="NAME", help="Only keys of this tenant.")
    ] = "",
    as_json: JsonOption = False,
    gateway: GatewayOption = DEFAULT_GATEWAY,
) -> None:
    """List the keys without their secrets; with --json, one on each line."""
    found = run(_list(gateway_client(gateway), tenant))
    print_found(
        found,
        _listing,
        as_json=as_json,
        nothing="there are no keys; make one with: maie keys create --scope submit --scope read",
    )


@app.command()
def rotate(
    key_id: KeyId,
    overlap_hours: Annotated[
        float, typer.Option(min=0, max=720, help="How long the key of before works on.")
    ] = 24,
    output: OutputOption = None,
    as_json: JsonOption = False,
    gateway: GatewayOption = DEFAULT_GATEWAY,
) -> None:
    """Replace a key by a new one with the same id, tenant and scopes."""
    made = run(_rotate(gateway_client(gateway), key_id, timedelta(hours=overlap_hours)))
    _hand_over(made, made.api_key, output, as_json)


@app.command()
def revoke(key_id: KeyId, gateway: GatewayOption = DEFAULT_GATEWAY) -> None:
    """End a key at once, at all gateways."""
    run(_revoke(gateway_client(gateway), key_id))
    emit(f"{key_id} is revoked")


@app.command()
def bootstrap(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The file to write; it must be new.")
    ],
) -> None:
    """Write a key that has all scopes, for a gateway's MAIE_GATEWAY_BOOTSTRAP_KEY_FILE."""
    run(_write(file, new_key(BOOTSTRAP_ID).text))
    note(
        "set MAIE_GATEWAY_BOOTSTRAP_KEY_FILE to it for the gateways, and MAIE_API_KEY_FILE for you"
    )


async def _create(
    client: Client,
    scopes: Sequence[access.Scope],
    tenant: str,
    name: str,
    lifetime: timedelta | None,
) -> access.CreateKeyResponse:
    async with client:
        return await client.keys.create(
            scopes=scopes, tenant=tenant, display_name=name, lifetime=lifetime
        )


async def _list(client: Client, tenant: str) -> list[access.ApiKey]:
    async with client:
        return await client.keys.list(tenant)


async def _rotate(client: Client, key_id: str, overlap: timedelta) -> access.RotateKeyResponse:
    async with client:
        return await client.keys.rotate(key_id, overlap)


async def _revoke(client: Client, key_id: str) -> access.ApiKey:
    async with client:
        return await client.keys.revoke(key_id)


async def _write(file: Path, text: str) -> None:
    """Writes a new file that only its owner can read."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as written:
        written.write(f"{text}\n")


def _hand_over(
    made: access.CreateKeyResponse | access.RotateKeyResponse,
    text: str,
    output: Path | None,
    as_json: bool,
) -> None:
    """Gives the key to who asked for it, this once."""
    if output is not None:
        run(_write(output, text))
        made.ClearField("api_key")
    if as_json:
        emit(to_json(made))
    elif output is not None:
        emit(made.key.key_id)
    else:
        emit(text)
        note(f"this is key {made.key.key_id}; keep it now, since it is not shown again")


def _listing(found: Sequence[access.ApiKey]) -> Listing:
    fields = (
        Field(header="id"),
        Field(header="tenant"),
        Field(header="scopes", least=8),
        Field(header="name", least=12),
        Field(header="made"),
        Field(header="ends", least=10),
    )
    return Listing(fields, [_row(key) for key in found])


def _row(key: access.ApiKey) -> tuple[str, ...]:
    scopes = " ".join(name for name, scope in SCOPES.items() if scope in key.scopes)
    ends = _day(key.expire_time) if key.HasField("expire_time") else ""
    if key.HasField("revoke_time"):
        ends = f"revoked {_day(key.revoke_time)}"
    return (
        plain(key.key_id),
        plain(key.tenant),
        scopes,
        plain(key.display_name),
        _day(key.create_time),
        ends,
    )


def _day(time: Timestamp) -> str:
    return time.ToDatetime().date().isoformat()
