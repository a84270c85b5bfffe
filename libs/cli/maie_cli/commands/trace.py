"""`maie trace`: where the time of a job went."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from maie.job.v1 import job_pb2 as job
from maie_cli.arguments import DEFAULT_GATEWAY, GatewayOption, JsonOption, TenantOption
from maie_cli.board import STYLES
from maie_cli.console import emit, note, out
from maie_cli.exits import run
from maie_cli.gateway import gateway_client
from maie_cli.names import state_name
from maie_cli.waterfall.drawing import Drawing
from maie_cli.waterfall.rows import Waterfall, waterfall
from maie_client import Client
from maie_formats.as_json import to_json
from maie_pipeline.states import FINAL_STATES

app = typer.Typer(add_completion=False)


@app.command()
def trace(
    job_id: Annotated[str, typer.Argument(metavar="JOB", help="The job's id.")],
    every: Annotated[
        bool, typer.Option("--all", help="A line for each attempt, however many there are.")
    ] = False,
    as_json: JsonOption = False,
    gateway: GatewayOption = DEFAULT_GATEWAY,
    tenant: TenantOption = "",
) -> None:
    """Show where the time of a job went: in queues, in workers and in their engines.

    It needs no tracing back end, since the job's record has it. Where there is one, the id of the
    trace finds more.
    """
    found = run(_timeline(gateway_client(gateway, tenant), job_id))
    if as_json:
        emit(to_json(found))
        return
    drawn = waterfall(found, every=every)
    out.print(_head(found, drawn), soft_wrap=True)
    if drawn.rows:
        out.print(Drawing(drawn), soft_wrap=True)
    if found.waiting_units:
        note(f"{found.waiting_units} of {found.total_units} units wait for others")
    if drawn.folded:
        note("--all shows each attempt")


async def _timeline(client: Client, job_id: str) -> job.Timeline:
    async with client:
        return await client.get_timeline(job_id)


def _head(timeline: job.Timeline, drawn: Waterfall) -> Text:
    over = timeline.state in FINAL_STATES
    units = f"{timeline.total_units} unit{'s' if timeline.total_units != 1 else ''}"
    head = Text.assemble(
        (timeline.job_id, "bold"),
        "  ",
        (state_name(timeline.state), STYLES.get(timeline.state, "")),
        (f"  {'after' if over else 'for'} {drawn.length:.1f} s, {units}", "dim"),
    )
    if timeline.trace_id:
        head.append(f"\ntrace {timeline.trace_id}", style="dim")
    return head
