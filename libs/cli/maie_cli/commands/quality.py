"""`maie quality`: how good the sound of a folder of recordings is."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from maie_cli.arguments import DEFAULT_GATEWAY, GatewayOption, TenantOption
from maie_cli.at_once import Ended
from maie_cli.batch import Batch
from maie_cli.console import note
from maie_cli.earlier import EarlierRuns, versions_of
from maie_cli.embedded import client_of
from maie_cli.exits import EXIT_CODES, Exit, leave, run
from maie_cli.files import ResultFolder
from maie_cli.quality.limits import Limits
from maie_cli.quality.measuring import AT_ONCE, ENGINES, Measuring
from maie_cli.quality.page import page
from maie_cli.recordings import Recording, recordings_in
from maie_cli.views import SilentView, counted
from maie_client import JobOptions
from maie_formats.clean import plain
from maie_formats.quality.rows import Row, as_csv, as_json

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

    A recording that cannot be read has a line with the reason, and the others go on. What an
    earlier run has measured in the same DIR is not measured again.
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
    ended: list[Ended[Row]] = []
    async with client_of(embedded=embedded, gateway=gateway, tenant=tenant) as client:
        earlier = EarlierRuns(folder=output, versions=await versions_of(client, ENGINES))
        try:
            with counted(len(recordings), quiet=quiet) as count:

                def end(each: Ended[Row]) -> None:
                    ended.append(each)
                    if each.row.error:
                        note(f"{each.row.file}: {each.row.error}")
                    count()

                options: JobOptions = {"features": ["quality"]}
                batch = Batch(client, options, SilentView(), AT_ONCE, outlived=not embedded)
                await Measuring(batch, earlier).run(recordings, end)
        finally:
            # Also what was measured before Ctrl-C is in the report.
            outside = await _write(ended, recordings, files, output, limits)
    code = max((each.code for each in ended), default=Exit.OK)
    return max(code, Exit.FAILED) if outside else code


async def _write(
    ended: Sequence[Ended[Row]],
    recordings: Sequence[Recording],
    files: ResultFolder,
    output: Path,
    limits: Limits,
) -> bool:
    """Writes the report; gives whether a recording is outside the limits."""
    order = {plain(str(each)): place for place, each in enumerate(recordings)}
    rows = sorted((each.row for each in ended), key=lambda row: order[row.file])
    broken = {row.file: found for row in rows if (found := list(limits.broken(row)))}
    for name, content in (
        ("quality.csv", as_csv(rows)),
        ("quality.json", as_json(rows)),
        ("quality.html", page(rows, broken, output)),
    ):
        await asyncio.to_thread(files.put, name, content.encode())
    for file, found in broken.items():
        note(f"{file}: {'; '.join(found)}")
    before = sum(each.before for each in ended)
    note(
        f"{len(rows)} of {len(recordings)} recordings, {before} measured before, {len(broken)} "
        f"outside the limits; see {output / 'quality.html'}"
    )
    return bool(broken)
