"""Compares one recording with its text, as a job."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from maie_cli.batch import Batch
from maie_cli.exits import Exit
from maie_cli.recordings import Recording
from maie_cli.views import View
from maie_client import Client
from maie_core.durations import seconds
from maie_formats.readings.report import ReadingReport
from maie_formats.warnings import sentences

NO_SPEECH = "No speech was found; check that it is the right recording, and its volume."


@dataclass(kw_only=True, frozen=True, slots=True)
class Compared:
    """What became of a recording.

    Attributes:
        report: The reading; None without one.
        code: The exit code.
        error: Why there is no reading; empty where there is one.
        warnings: What a person should know.
    """

    report: ReadingReport | None = None
    code: Exit = Exit.OK
    error: str = ""
    warnings: tuple[str, ...] = ()


async def compare(
    client: Client,
    path: Path,
    text: str,
    view: View,
    *,
    name: str = "",
    language: str = "",
    outlived: bool = True,
) -> Compared:
    """Compares a file with its text.

    Args:
        client: The connection.
        path: The recording.
        text: The text that should have been read.
        view: Shows the job's events.
        name: The recording's display name; that of the file if empty.
        language: The language, such as "en"; empty for that of the mesh.
        outlived: As `Batch` has it.
    """
    batch = Batch(
        client,
        {
            "features": ["reading"],
            "reading_text": text,
            "language_code": language,
            "display_name": name,
        },
        view,
        1,
        outlived=outlived,
    )
    (outcome,) = await batch.run([Recording(path=path)])
    finished = outcome.finished
    if outcome.message or finished is None:
        return Compared(code=outcome.code, error=outcome.message)
    results = finished.job.results
    if not any(word.HasField("range") for word in results.reading.words):
        return Compared(code=Exit.USAGE, error=NO_SPEECH)
    return Compared(
        report=ReadingReport(
            reading=results.reading,
            name=name or finished.name,
            text=text,
            seconds=seconds(finished.job.metrics.input_duration),
        ),
        warnings=tuple(sentences(results)),
    )
