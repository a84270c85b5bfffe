"""A Word document has what Markdown has, in any alphabet, and says which direction it reads in."""

from __future__ import annotations

import io

import docx
import pytest
from docx.oxml.ns import qn
from hypothesis import given

from maie.job.v1 import job_pb2 as job
from maie_formats.document import Kind, document
from maie_formats.writers import Finished, written
from tests.formats.test_formats import results

pytestmark = pytest.mark.unit

STYLES = {
    Kind.TITLE: "Title",
    Kind.HEADING: "Heading 1",
    Kind.BULLET: "List Bullet",
    Kind.NOTE: "Normal",
    Kind.PARAGRAPH: "Normal",
}


@given(results())
def test_each_block_is_a_paragraph(made: job.JobResults) -> None:
    finished = Finished(job=job.Job(results=made), name="talk")
    content = written(finished, "docx")
    found = docx.Document(io.BytesIO(content))
    expected = [(STYLES[block.kind], block.text) for block in document(made, "talk")]
    assert [(each.style.name, each.text) for each in found.paragraphs if each.style] == expected
    assert found.core_properties.title == "talk"
    assert written(finished, "docx") == content


@pytest.mark.parametrize(
    ("text", "is_right_to_left"),
    [
        ("Küche – plan", False),
        ("会议从十点开始。", False),
        ("الاجتماع في العاشرة", True),
        ("[1] הפגישה בעשר", True),
        ("meeting الاجتماع", False),
        ("123", False),
    ],
)
def test_paragraphs_have_the_direction_of_their_text(text: str, is_right_to_left: bool) -> None:
    made = job.JobResults(raw_transcript=text)
    found = docx.Document(
        io.BytesIO(written(Finished(job=job.Job(results=made), name="x"), "docx"))
    )
    last = found.paragraphs[-1]
    assert last.text == text
    assert (last._p.find(f".//{qn('w:bidi')}") is not None) is is_right_to_left
    assert [run.font.rtl for run in last.runs] == [True if is_right_to_left else None]
