"""The formats of the report of a recording's sound by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from maie.job.v1 import job_pb2 as job
from maie_formats.as_json import to_json
from maie_formats.clean import plain
from maie_formats.quality.page import page
from maie_formats.quality.rows import as_csv, row_of

QUALITY_WRITERS: Mapping[str, Callable[[job.Job, str], str]] = {
    "json": lambda done, _: to_json(done.results.quality_report, indent=2) + "\n",
    "csv": lambda done, name: as_csv([row_of(done, plain(name))]),
    "html": page,
}
"""The writer of each format, of a job and its recording's name. A name is the file's extension."""
