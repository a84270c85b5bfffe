"""A job's results as text for standard output."""

from __future__ import annotations

from maie_cli.exits import Exit, leave
from maie_formats.writers import SPEAKER_FORMATS, WRITERS, Finished


def results_text(finished: Finished, format_: str) -> str:
    """A job's results in a format of text.

    Raises:
        typer.Exit: The format shows only what the job does not have.
    """
    if format_ in SPEAKER_FORMATS and not finished.has_speakers:
        leave(
            f"Job {finished.job.job_id} has no speakers for the format {format_}; process the "
            "recording with --speakers auto",
            Exit.USAGE,
        )
    return WRITERS[format_](finished)
