"""A web page of the sound of one recording: what was measured, and the scores over time.

It needs no network and no script, and is light or dark as the reader's system is.
"""

from __future__ import annotations

from html import escape

from maie.job.v1 import job_pb2 as job
from maie_formats.clean import plain
from maie_formats.quality.drawing import curve, whole_page
from maie_formats.quality.rows import row_of
from maie_formats.sound import findings


def page(done: job.Job, name: str) -> str:
    """The page of a job that has a report of its sound.

    Args:
        done: The job.
        name: The recording's display name.
    """
    report = done.results.quality_report
    row = row_of(done, name)
    title = f"Sound of {plain(name) or 'a recording'}"
    found = "".join(f"<li>{escape(each)}</li>" for each in findings(report))
    made_by = f"Rated by {row.model} on {row.device}." if row.model else ""
    return whole_page(
        title,
        (
            f"<h1>{escape(title)}</h1>",
            *(f'<p class="bad">{escape(plain(each.message))}</p>' for each in report.warnings),
            f"<ul>{found}</ul>",
            curve(row.moments),
            f"<p>{escape(plain(made_by))}</p>" if made_by else "",
        ),
    )
