"""`maie align`: how texts were read aloud."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from maie_cli.align.comparing import compare
from maie_cli.align.screen import print_reading
from maie_cli.align.texts import TextError, Wanted, read_table, read_text
from maie_cli.arguments import DEFAULT_GATEWAY, GatewayOption, TenantOption
from maie_cli.console import emit, note, out, warn
from maie_cli.embedded import client_of
from maie_cli.exits import EXIT_CODES, Exit, leave, run
from maie_cli.files import ResultFolder, safe_name
from maie_cli.recordings import Recording
from maie_cli.secret_variables import WHY
from maie_cli.views import counted, view_of
from maie_core.redaction import names_user
from maie_formats.as_json import to_json

if TYPE_CHECKING:
    from maie_cli.align.results import Results
    from maie_cli.align.rows import Row
    from maie_cli.align.sources import Source
    from maie_cli.at_once import Ended
    from maie_formats.readings.report import ReadingReport

AT_ONCE = 4
IN_FLIGHT_MIB = 512

app = typer.Typer(add_completion=False)


@app.command(epilog=EXIT_CODES)
def align(
    recording: Annotated[
        str,
        typer.Argument(
            metavar="FILE|FOLDER|URL",
            help="The recording; or many, in a folder or a bucket such as s3://BUCKET/PREFIX.",
        ),
    ],
    text: Annotated[
        Path | None,
        typer.Option("--text", metavar="TXT", help="The text that should have been read, UTF-8."),
    ] = None,
    texts: Annotated[
        Path | None,
        typer.Option(
            "--texts",
            metavar="CSV",
            help="The texts of many: columns recording, and text or text_file.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR",
            help="Write json, md, TextGrid, ctm and html there; of many, also their figures.",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the reading as JSON, one on a line.")
    ] = False,
    clips: Annotated[
        Literal["wav", "flac"] | None,
        typer.Option("--clips", help="Cut the phrases out of the recording, in this format."),
    ] = None,
    clips_to: Annotated[
        str,
        typer.Option(
            "--clips-to",
            metavar="URL",
            help="Where clips go, such as s3://BUCKET/PREFIX; the folder of --output if unset.",
        ),
    ] = "",
    language: Annotated[str, typer.Option(metavar="TAG", help="The language, such as en.")] = "",
    at_once: Annotated[
        int, typer.Option(min=1, max=64, help="The most recordings in progress.")
    ] = AT_ONCE,
    in_flight: Annotated[
        int,
        typer.Option(
            metavar="MIB",
            min=1,
            help="The most MiB of a bucket's recordings that are on this machine at a time.",
        ),
    ] = IN_FLIGHT_MIB,
    embedded: Annotated[
        bool, typer.Option("--embedded", help="Start a mesh for it, and stop that at the end.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
    gateway: GatewayOption = DEFAULT_GATEWAY,
    tenant: TenantOption = "",
) -> None:
    """Compare recordings with the texts that should have been read.

    Of many, what an earlier run has done in the same DIR is not done again.
    """
    if names_user(recording) or names_user(clips_to):
        leave(f"A bucket takes its keys from AWS_* and not from its URL, and {WHY}.", Exit.USAGE)
    many = _are_many(recording)
    if (texts is None, text is None) != ((False, True) if many else (True, False)):
        raise typer.BadParameter(
            "a folder or a bucket needs --texts CSV, and no --text"
            if many
            else "a recording needs --text TXT, and no --texts"
        )
    if output is None and (many or (clips and not clips_to)):
        raise typer.BadParameter("name the folder of the results with --output DIR")
    if clips_to and not clips:
        raise typer.BadParameter("choose a format of clips with --clips wav or --clips flac")
    if clips and find_spec("av") is None:
        leave("Clips need PyAV; install it with: pip install 'maie-cli[mesh]'", Exit.USAGE)
    try:
        wanted = read_table(texts) if texts else []
        content = read_text(text) if text else ""
    except TextError as error:
        leave(str(error), Exit.USAGE)
    except OSError as error:
        leave(f"{error.filename} cannot be read: {error.strerror}.", Exit.USAGE)
    results = _results(output, clips, clips_to)
    if many:
        assert output is not None
        source = _source(recording, in_flight)
        work = _many(
            source, wanted, results, output, language, at_once, embedded, quiet, gateway, tenant
        )
    else:
        work = _one(
            Path(recording), content, results, as_json, language, embedded, quiet, gateway, tenant
        )
    raise typer.Exit(run(work))


def _are_many(recording: str) -> bool:
    if recording.lower().startswith(("http://", "https://")):
        leave("A reading is compared from a file, a folder or a bucket.", Exit.USAGE)
    if "://" in recording or Path(recording).is_dir():
        return True
    if not Path(recording).is_file():
        leave(f"There is no file {recording}", Exit.USAGE)
    return False


def _results(output: Path | None, clips: Literal["wav", "flac"] | None, to: str) -> Results:
    from maie_cli.align.results import Results

    if output is not None:
        ResultFolder(output).create()
    if clips is None:
        return Results(folder=output)
    from maie_runtime.object_store import open_store

    url = to if "://" in to else Path(to or output or ".").resolve().as_uri()
    try:
        return Results(folder=output, clip_format=clips, clips=open_store(url))
    except ValueError:
        leave("--clips-to is no store; write s3://BUCKET/PREFIX or a folder.", Exit.USAGE)


def _source(recording: str, in_flight: int) -> Source:
    from maie_cli.align.budget import ByteBudget
    from maie_cli.align.sources import BucketSource, FolderSource

    if "://" not in recording:
        return FolderSource(Path(recording))
    try:
        return BucketSource(recording, ByteBudget(in_flight * 1024 * 1024))
    except ValueError:
        leave(f"{recording} is no bucket; write s3://BUCKET/PREFIX.", Exit.USAGE)


async def _one(
    recording: Path,
    text: str,
    results: Results,
    as_json: bool,
    language: str,
    embedded: bool,
    quiet: bool,
    gateway: str,
    tenant: str,
) -> Exit:
    async with client_of(embedded=embedded, gateway=gateway, tenant=tenant) as client:
        with view_of([str(Recording(path=recording))], quiet=quiet) as view:
            compared = await compare(
                client, recording, text, view, language=language, outlived=not embedded
            )
    if compared.report is None:
        leave(compared.error, compared.code)
    for sentence in compared.warnings:
        warn(sentence)
    if as_json:
        emit(to_json(compared.report.reading))
    else:
        print_reading(out, compared.report)
    name = safe_name(recording.stem)
    await _save(results, compared.report, recording, name)
    if results.folder is not None:
        note(f"see {results.folder / f'{name}.html'}")
    return Exit.OK


async def _save(results: Results, report: ReadingReport, recording: Path, name: str) -> None:
    from obstore.exceptions import BaseError

    from maie_cli.clips.cutting import ClipError

    try:
        await results.save(report, recording, name, kept=True)
    except ClipError as error:
        leave(f"There are no clips: {error}.", Exit.USAGE)
    except BaseError:
        leave("The clips cannot be stored; check --clips-to and its keys.", Exit.UNREACHABLE)


async def _many(
    source: Source,
    wanted: Sequence[Wanted],
    results: Results,
    output: Path,
    language: str,
    at_once: int,
    embedded: bool,
    quiet: bool,
    gateway: str,
    tenant: str,
) -> Exit:
    from obstore.exceptions import BaseError

    from maie_cli.align.figures import write_figures
    from maie_cli.align.many import ENGINES, Many
    from maie_cli.earlier import EarlierRuns, versions_of

    ended: list[Ended[Row]] = []
    async with client_of(embedded=embedded, gateway=gateway, tenant=tenant) as client:
        many = Many(
            client=client,
            source=source,
            results=results,
            earlier=EarlierRuns(folder=output, versions=await versions_of(client, ENGINES)),
            language=language,
            at_once=at_once,
            outlived=not embedded,
        )
        try:
            with counted(len(wanted), quiet=quiet) as count:

                def end(each: Ended[Row]) -> None:
                    ended.append(each)
                    if each.row.error:
                        note(f"{each.row.recording}: {each.row.error}")
                    count()

                await many.run(wanted, end)
        except BaseError:
            leave(
                "The bucket cannot be listed; check its name and the AWS_* keys.", Exit.UNREACHABLE
            )
        finally:
            # Also what was done before Ctrl-C has its figures.
            note(await asyncio.to_thread(write_figures, ended, wanted, output))
    return max((each.code for each in ended), default=Exit.OK)
