"""Results as a Word document (Office Open XML); needs the extra `docx`."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime

import docx
from docx.document import Document
from docx.oxml import OxmlElement
from docx.text.paragraph import Paragraph

from maie.job.v1 import job_pb2 as job
from maie.summary.v1 import summary_pb2 as summary
from maie_formats.direction import is_right_to_left
from maie_formats.document import Block, Kind, document

# The same results give the same bytes: the earliest time that a ZIP archive can have.
_EPOCH = datetime(1980, 1, 1, tzinfo=UTC)
_CORE_PROPERTIES = 255


def word(results: job.JobResults, name: str, template: summary.Template | None = None) -> bytes:
    """Formats results as a Word document, whose reader chooses fonts for its alphabets.

    Args:
        results: The results.
        name: The recording's name, the title if the summary has none.
        template: The template of the summary, for its order.
    """
    made = docx.Document()
    for block in document(results, name, template):
        if block.kind is Kind.TITLE:
            made.core_properties.title = block.text[:_CORE_PROPERTIES]
        _direct(_added(made, block), block.text)
    made.core_properties.author, made.core_properties.comments = "maie", ""
    made.core_properties.created = made.core_properties.modified = _EPOCH
    file = io.BytesIO()
    made.save(file)
    return _without_times(file.getvalue())


def _added(made: Document, block: Block) -> Paragraph:
    match block.kind:
        case Kind.TITLE:
            return made.add_heading(block.text, 0)
        case Kind.HEADING:
            return made.add_heading(block.text, 1)
        case Kind.BULLET:
            return made.add_paragraph(block.text, "List Bullet")
        case Kind.NOTE:
            added = made.add_paragraph()
            added.add_run(block.text).italic = True
            return added
        case Kind.PARAGRAPH:
            added = made.add_paragraph()
            if block.voice:
                added.add_run(f"{block.voice}: ").bold = True
            added.add_run(block.text)
            return added


def _direct(added: Paragraph, text: str) -> None:
    if is_right_to_left(text):
        added._p.get_or_add_pPr().append(OxmlElement("w:bidi"))
        for run in added.runs:
            run.font.rtl = True


def _without_times(archive: bytes) -> bytes:
    """The same archive without the times at which its files were written."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(archive)) as reading,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as writing,
    ):
        for name in reading.namelist():
            entry = zipfile.ZipInfo(name, _EPOCH.timetuple()[:6])
            writing.writestr(entry, reading.read(name), zipfile.ZIP_DEFLATED)
    return file.getvalue()
