"""`maie dead-letters`: units that failed for good."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from typing import Annotated

import typer

from maie.job.v1 import job_pb2 as job
from maie_cli.arguments import DEFAULT_GATEWAY, GatewayOption, JsonOption, TenantOption
from maie_cli.console import emit
from maie_cli.exits import run
from maie_cli.found import print_found
from maie_cli.gateway import gateway_client
from maie_cli.listing import Field, Listing
from maie_cli.names import state_name
from maie_client import Client
from maie_formats.as_json import to_json
from maie_formats.clean import plain

MAX_LETTER = 2**63 - 1  # of an int64

app = typer.Typer(
    help="Look after units that were given up.", no_args_is_help=True, add_completion=False
)


@app.command("list")
def list_letters(
    job_id: Annotated[str, typer.Option("--job", metavar="JOB", help="Only of this job.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="The most letters to list.")] = 50,
    as_json: JsonOption = False,
    gateway: GatewayOption = DEFAULT_GATEWAY,
    tenant: TenantOption = "",
) -> None:
    """List units that were given up, newest first; with --json, one on each line."""
    found = run(_list(gateway_client(gateway, tenant), job_id, limit))
    print_found(
        found,
        _listing,
        as_json=as_json,
        nothing="nothing was given up",
    )


@app.command()
def replay(
    letter_id: Annotated[
        int, typer.Argument(metavar="LETTER", max=MAX_LETTER, help="The letter's id.")
    ],
    as_json: JsonOption = False,
    gateway: GatewayOption = DEFAULT_GATEWAY,
    tenant: TenantOption = "",
) -> None:
    """Try a unit that was given up once more and take its letter away."""
    taken_up = run(_replay(gateway_client(gateway, tenant), letter_id))
    emit(to_json(taken_up) if as_json else f"{taken_up.job_id} {state_name(taken_up.state)}")


async def _list(client: Client, job_id: str, limit: int) -> list[job.DeadLetterEntry]:
    found: list[job.DeadLetterEntry] = []
    async with (
        client,
        aclosing(client.list_dead_letters(job_id=job_id)) as letters,
    ):
        async for letter in letters:
            found.append(letter)
            if len(found) == limit:
                break
    return found


async def _replay(client: Client, letter_id: int) -> job.Job:
    async with client:
        return await client.replay_dead_letter(letter_id)


def _listing(found: Sequence[job.DeadLetterEntry]) -> Listing:
    fields = (
        Field(header="letter"),
        Field(header="job"),
        Field(header="unit", least=8),
        Field(header="attempts"),
        Field(header="why", least=16),
        Field(header="given up", least=10),
    )
    return Listing(
        fields,
        [
            (
                str(letter.letter_id),
                letter.job_id,
                plain(letter.unit),
                str(letter.attempts),
                plain(letter.failure.message),
                f"{letter.dead_time.ToDatetime():%Y-%m-%d %H:%M:%S} UTC",
            )
            for letter in found
        ],
    )
