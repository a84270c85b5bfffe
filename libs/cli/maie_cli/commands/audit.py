"""`maie audit`: who did what."""

from __future__ import annotations

from collections import deque
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from maie.access.v1 import access_pb2 as access
from maie_cli.arguments import DEFAULT_GATEWAY, GatewayOption, JsonOption
from maie_cli.audit_lines import lines_of
from maie_cli.console import emit, note, out
from maie_cli.exits import run
from maie_cli.gateway import gateway_client
from maie_cli.times import in_utc
from maie_client import Client
from maie_formats.as_json import to_json

PAGE = 1000
LOOK_BACK = timedelta(days=1)

app = typer.Typer(add_completion=False)


@app.command()
def audit(
    job_id: Annotated[str, typer.Option("--job", metavar="JOB", help="Only about this job.")] = "",
    tenant: Annotated[
        str, typer.Option("--tenant", metavar="NAME", help="Only of this tenant.")
    ] = "",
    caller: Annotated[
        str, typer.Option("--caller", metavar="ID", help="Only of this caller, such as key:1f0c.")
    ] = "",
    rpc: Annotated[
        str, typer.Option("--rpc", metavar="NAME", help="Only of this RPC, such as CancelJob.")
    ] = "",
    since: Annotated[
        datetime | None,
        typer.Option(
            metavar="TIME",
            callback=in_utc,
            help="From this time on: 2026-11-21 or 2026-11-21T09:30, in UTC, or with an offset "
            "such as +01:00; a day ago if unset.",
        ),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(metavar="TIME", callback=in_utc, help="Only before this time."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="The most entries to show, the last ones.")] = (
        500
    ),
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what happens, until Ctrl-C.")
    ] = False,
    as_json: JsonOption = False,
    gateway: GatewayOption = DEFAULT_GATEWAY,
) -> None:
    """Show who did what, the oldest first; needs a key with the scope admin."""
    wanted = access.ListAuditEntriesRequest(
        tenant=tenant,
        job_id=job_id,
        caller_id=caller,
        action=rpc,
        start_time=since or datetime.now(UTC) - LOOK_BACK,
        end_time=until,
        page_size=PAGE,
    )
    client = gateway_client(gateway)
    run(_follow(client, wanted, as_json) if follow else _list(client, wanted, limit, as_json))


async def _list(
    client: Client, wanted: access.ListAuditEntriesRequest, limit: int, as_json: bool
) -> None:
    found, count = deque[access.AuditEntry](maxlen=limit), 0
    async with client, aclosing(client.audit.entries(wanted)) as entries:
        async for entry in entries:
            found.append(entry)
            count += 1
    for entry in found:
        _show(entry, as_json)
    if count > limit:
        note(f"{count - limit} earlier entries are not shown; --limit shows more")
    if not count:
        note("no entry matches; --since looks further back than a day")


async def _follow(client: Client, wanted: access.ListAuditEntriesRequest, as_json: bool) -> None:
    async with client, aclosing(client.audit.entries(wanted, follow=True)) as entries:
        async for entry in entries:
            _show(entry, as_json)


def _show(entry: access.AuditEntry, as_json: bool) -> None:
    if as_json:
        emit(to_json(entry))
    else:
        out.print(lines_of(entry, out.width), soft_wrap=True)
