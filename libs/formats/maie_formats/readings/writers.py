"""The formats of a reading by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from maie_formats.as_json import to_json
from maie_formats.readings.ctm import ctm
from maie_formats.readings.markdown import markdown
from maie_formats.readings.page import page
from maie_formats.readings.report import ReadingReport
from maie_formats.readings.textgrid import textgrid

READING_WRITERS: Mapping[str, Callable[[ReadingReport], str]] = {
    "json": lambda report: to_json(report.reading, indent=2) + "\n",
    "md": markdown,
    "TextGrid": textgrid,
    "ctm": ctm,
    "html": page,
}
"""The writer of each format by its name, which is also the file's extension."""
