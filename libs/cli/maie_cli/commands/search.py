"""`maie search`: finds words in transcripts and summaries, with their times."""

from __future__ import annotations

from contextlib import aclosing
from typing import Annotated

import typer

from maie.job.v1 import job_pb2 as job
from maie_cli.arguments import DEFAULT_GATEWAY, GatewayOption, JsonOption, TenantOption
from maie_cli.console import emit, note
from maie_cli.exits import run
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
from maie_cli.gateway import gateway_client
from maie_client import Client, JobFilters
from maie_core.durations import seconds
from maie_formats.as_json import to_json
from maie_formats.clean import plain
from maie_formats.transcript import clock

app = typer.Typer(add_completion=False)


@app.command()
def search(
    words: Annotated[
        list[str],
        typer.Argument(metavar="WORDS", help="Words that must all be there; 'releas*' finds more."),
    ],
    state: StateFilter = None,
    label: LabelFilter = None,
    since: SinceFilter = None,
    until: UntilFilter = None,
    template: TemplateFilter = "",
    language: LanguageFilter = "",
    speaker: SpeakerFilter = "",
    limit: Annotated[int, typer.Option(min=1, max=100, help="The most jobs to show.")] = 20,
    as_json: JsonOption = False,
    gateway: GatewayOption = DEFAULT_GATEWAY,
    tenant: TenantOption = "",
) -> None:
    """Find words in transcripts and summaries; with --json, one job on each line."""
    filters = filters_of(
        states=state,
        labels=label,
        since=since,
        until=until,
        template=template,
        language=language,
        speaker=speaker,
    )
    found = run(_search(gateway_client(gateway, tenant), " ".join(words), filters, limit))
    for hit in found:
        emit(to_json(hit) if as_json else _text(hit))
    if not found and not as_json:
        note("nothing was found")


async def _search(
    client: Client, query: str, filters: JobFilters, limit: int
) -> list[job.SearchHit]:
    found: list[job.SearchHit] = []
    async with (
        client,
        aclosing(client.search_jobs(query, page_size=limit, **filters)) as hits,
    ):
        async for hit in hits:
            found.append(hit)
            if len(found) == limit:
                break
    return found


def _text(hit: job.SearchHit) -> str:
    lines = [f"{hit.job.job_id} {plain(hit.job.display_name)}"]
    for moment in hit.moments:
        when = clock(seconds(moment.range.start_offset)) if moment.HasField("range") else "summary"
        lines.append(f"  [{when}] {plain(moment.snippet)}")
    return "\n".join(lines)
