"""`maie demo`: runs the whole mesh on a reading and a meeting, and shows all results."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from maie.job.v1 import job_pb2 as job
from maie_cli.arguments import ProfileOption, WorkersOption, parse_workers
from maie_cli.batch import exit_of_job
from maie_cli.commands.process import DEFAULT_TEMPLATE
from maie_cli.commands.up import addresses
from maie_cli.console import out
from maie_cli.exits import Exit, leave, run
from maie_cli.files import Names, write_results
from maie_cli.gateway import gateway_client
from maie_cli.interrupts import interruptible
from maie_cli.mesh.errors import MeshError
from maie_cli.mesh.local import LocalMesh
from maie_cli.mesh.options import MeshOptions
from maie_cli.report import print_files, print_report
from maie_cli.views import LineView, StageBars, View, WithText, bars
from maie_client import FEATURES, ClientError
from maie_client.template_of_job import template_of
from maie_formats.clean import plain
from maie_formats.writers import Finished, fitting_formats

SAMPLES = Path("samples")
READING = "reading.flac"
MEETING = "standup.flac"
RESULTS = Path(".maie", "demo")
INTERRUPTED = 130  # 128 + SIGINT, as in shells
# A reading needs a text, too, and speech a library that may be missing.
OF_RECORDINGS = tuple(feature for feature in FEATURES if feature not in ("reading", "digest"))


@dataclass(kw_only=True, frozen=True, slots=True)
class Showing:
    """A recording and its options.

    Attributes:
        recording: The file.
        features: The requested features.
        template_id: The template of the summary; empty for none.
    """

    recording: Path
    features: tuple[str, ...] = OF_RECORDINGS
    template_id: str = DEFAULT_TEMPLATE


app = typer.Typer(add_completion=False)


@app.command()
def demo(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE", help="A recording of yours; a reading and a meeting if unset."
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option(metavar="DIR", help="Where the result files go.")
    ] = RESULTS,
    profile: ProfileOption = "embedded",
    workers: WorkersOption = None,
) -> None:
    """Start the whole mesh on free ports, process recordings, show everything, stop."""
    showings = [Showing(recording=file)] if file else _samples()
    for showing in showings:
        if not showing.recording.is_file():
            leave(f"There is no file {showing.recording}", Exit.USAGE)
    counts = parse_workers(workers or ())
    raise typer.Exit(run(_demo(showings, output, profile, counts)))


def _samples() -> list[Showing]:
    """A reading, without a summary, and a meeting."""
    folder = _find_samples()
    texts = tuple(feature for feature in OF_RECORDINGS if feature != "summary")
    return [
        Showing(recording=folder / READING, features=texts, template_id=""),
        Showing(recording=folder / MEETING),
    ]


def _find_samples() -> Path:
    """The samples of the repository around this folder, or around this package."""
    starts = (Path.cwd(), Path(__file__).resolve())
    folders = (folder for start in starts for folder in (start, *start.parents))
    found = next((path for each in folders if (path := each / SAMPLES).is_dir()), None)
    if found is None:
        leave(f"Cannot find the folder {SAMPLES}; name a recording: maie demo FILE", Exit.USAGE)
    return found


async def _demo(
    showings: Sequence[Showing], output: Path, profile: str, workers: dict[str, int]
) -> int:
    with _data_folder() as data:
        options = MeshOptions(data=data, profile=profile, workers=workers, port_base=0)
        mesh = LocalMesh(options, _say)
        with interruptible(mesh) as interrupts:
            try:
                await _run(mesh, showings, output)
            except asyncio.CancelledError:
                if not interrupts.count:
                    raise
                _say("interrupted; everything has stopped")
                raise typer.Exit(INTERRUPTED) from None
    _say("everything has stopped")
    return Exit.OK


@contextmanager
def _data_folder() -> Iterator[Path]:
    """A folder for the mesh; kept after an error, for its logs."""
    folder = Path(tempfile.mkdtemp(prefix="maie-demo-"))
    try:
        yield folder
    except (MeshError, ClientError):
        _say(f"the logs are in {folder / 'logs'}")
        raise
    except BaseException:
        shutil.rmtree(folder)
        raise
    shutil.rmtree(folder)


async def _run(mesh: LocalMesh, showings: Sequence[Showing], output: Path) -> None:
    """Processes and shows all recordings.

    Raises:
        MeshError: The mesh does not start, or a job fails.
    """
    with _status("starting the mesh: broker, services, gateway"):
        await mesh.__aenter__()
    names = Names()
    try:
        out.print(addresses(mesh, logs=False))
        for showing in showings:
            finished = await _process(mesh, showing)
            print_report(out, finished)
            _, message = exit_of_job(finished.job)
            if message:
                raise MeshError(message)
            name = names.of(showing.recording)
            formats = fitting_formats(
                transcribed=finished.is_transcribed, speakers=finished.has_speakers
            )
            written = await asyncio.to_thread(write_results, finished, output, name, formats)
            out.print(Text(f"results in {output}", style="bold cyan"), soft_wrap=True)
            print_files(out, written)
    finally:
        with _status("stopping: gateway, services, broker"):
            await mesh.__aexit__(None, None, None)


async def _process(mesh: LocalMesh, showing: Showing) -> Finished:
    done = job.Job()
    async with gateway_client(mesh.gateway, key_file=mesh.key_file) as client:
        with _view() as view:
            events = client.process(
                showing.recording,
                features=list(showing.features),
                template_id=showing.template_id,
            )
            async with aclosing(events):
                async for event in events:
                    view.show(showing.recording.name, event)
                    done = event.finished.job if event.HasField("finished") else done
        template = await template_of(client, done)
    return Finished(job=done, name=showing.recording.name, template=template)


@contextmanager
def _view() -> Iterator[View]:
    if not out.is_terminal:
        yield WithText(LineView(out), out)
        return
    with bars(out) as progress:
        yield WithText(StageBars(progress), progress)


@contextmanager
def _status(line: str) -> Iterator[None]:
    if out.is_terminal:
        with out.status(line):
            yield
    else:
        _say(line)
        yield


def _say(line: str) -> None:
    out.print(Text(plain(line)), soft_wrap=True)
