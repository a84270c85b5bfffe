"""`maie quality`: how good the sound of a folder of recordings is."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from maie_cli.arguments import DEFAULT_GATEWAY, GatewayOption, TenantOption
from maie_cli.batch import Batch, Outcome
from maie_cli.console import note
from maie_cli.embedded import client_of
from maie_cli.exits import EXIT_CODES, Exit, leave, run
from maie_cli.files import ResultFolder
from maie_cli.quality.limits import Limits
from maie_cli.quality.page import page
from maie_cli.recordings import Recording, recordings_in
from maie_cli.views import view_of
from maie_formats.clean import plain
from maie_formats.quality.rows import Row, as_csv, as_json, row_of

AT_ONCE = 4
# So many jobs with all of their results are in memory at a time.
GROUP = 64
app = typer.Typer(add_completion=False)


@app.command(epilog=f"{EXIT_CODES} Of quality, 1 also where a recording is outside the limits.")
def quality(
    folder: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", help="The recordings, in folders within it too; or one."),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR",
            help="Where quality.csv, quality.json and quality.html go.",
        ),
    ],
    min_overall: Annotated[
        float | None, typer.Option(min=1, max=5, help="The least overall score, 1 to 5.")
    ] = None,
    min_snr: Annotated[
        float | None, typer.Option(help="The least speech over noise, in dB.")
    ] = None,
    max_clipping: Annotated[
        float | None, typer.Option(min=0, max=1, help="The largest share of clipped samples.")
    ] = None,
    max_silence: Annotated[
        float | None, typer.Option(min=0, max=1, help="The largest share without speech.")
    ] = None,
    embedded: Annotated[
        bool, typer.Option("--embedded", help="Start a mesh for it, and stop that at the end.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
    gateway: GatewayOption = DEFAULT_GATEWAY,
    tenant: TenantOption = "",
) -> None:
    """Measure the sound of recordings: scores, noise, clipping, loudness, and more.

    A recording that cannot be read has a line with the reason, and the others go on.
    """
    recordings = _recordings(folder)
    if not recordings:
        leave(f"There are no recordings in {folder}.", Exit.USAGE)
    limits = Limits(
        min_overall=min_overall,
        min_snr=min_snr,
        max_clipping=max_clipping,
        max_silence=max_silence,
    )
    files = ResultFolder(output)
    files.create()
    raise typer.Exit(
        run(_quality(recordings, files, output, limits, embedded, quiet, gateway, tenant))
    )


def _recordings(folder: Path) -> list[Recording]:
    if folder.is_file():
        return [Recording(path=folder)]
    if not folder.is_dir():
        leave(f"There is no folder {folder}.", Exit.USAGE)
    return [Recording(path=path) for path in recordings_in(folder)]


async def _quality(
    recordings: Sequence[Recording],
    files: ResultFolder,
    output: Path,
    limits: Limits,
    embedded: bool,
    quiet: bool,
    gateway: str,
    tenant: str,
) -> Exit:
    rows: list[Row] = []
    code = Exit.OK
    async with client_of(embedded=embedded, gateway=gateway, tenant=tenant) as client:
        with view_of([str(each) for each in recordings], quiet=quiet) as view:
            batch = Batch(client, {"features": ["quality"]}, view, AT_ONCE)
            for first in range(0, len(recordings), GROUP):
                for outcome in await batch.run(list(recordings[first : first + GROUP])):
                    code = max(code, outcome.code)
                    rows.append(_row(outcome))
    broken = {row.file: found for row in rows if (found := list(limits.broken(row)))}
    for name, content in (
        ("quality.csv", as_csv(rows)),
        ("quality.json", as_json(rows)),
        ("quality.html", page(rows, broken, output)),
    ):
        await asyncio.to_thread(files.put, name, content.encode())
    for file, found in broken.items():
        note(f"{file}: {'; '.join(found)}")
    note(f"{len(rows)} recordings, {len(broken)} outside the limits; see {output / 'quality.html'}")
    return max(code, Exit.FAILED) if broken else code


def _row(outcome: Outcome) -> Row:
    name = plain(str(outcome.recording))
    finished = outcome.finished
    if finished is None or not finished.job.results.HasField("quality_report"):
        return Row(file=name, error=outcome.message or "There is no quality report.")
    return row_of(finished.job, name)
