"""Texts and tables of texts: what is read, and which sentence says what is wrong."""

from __future__ import annotations

import pytest

from maie_cli.align.texts import TextError, read_table, read_text
from maie_core.limits import MAX_READING_TEXT_CHARACTERS

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty"),
        (b" \n\t", "is empty"),
        (b"?! --- ...", "has no words"),
        ("Grüße".encode("latin-1"), "is not UTF-8 at byte 2"),
        ("text".encode("utf-16"), "is not UTF-8 at byte 0"),
        (b"a" * (MAX_READING_TEXT_CHARACTERS + 1), "is too long"),
        (b"a" * (4 * MAX_READING_TEXT_CHARACTERS + 1), "is too large"),
    ],
)
def test_what_is_no_text_is_named_in_a_sentence(tmp_path, content, problem):
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(TextError, match=problem) as caught:
        read_text(tmp_path / "a.txt")
    assert str(caught.value).startswith(str(tmp_path))


def test_a_mark_of_the_order_of_bytes_is_no_text(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfOnce")
    assert read_text(tmp_path / "a.txt") == "Once"


def test_a_table_has_texts_and_files_of_texts(tmp_path):
    (tmp_path / "b.txt").write_text("From a file.")
    (tmp_path / "t.csv").write_text(
        'recording,text,text_file\na.wav,"Once, upon ""a"" time,\nhe said.",\nb.wav,,b.txt\n'
        "c.wav,,\nd.wav,,no.txt\n,nobody's,\n"
    )
    found = {each.recording: each for each in read_table(tmp_path / "t.csv")}
    assert list(found) == ["a.wav", "b.wav", "c.wav", "d.wav"]
    assert found["a.wav"].text == 'Once, upon "a" time,\nhe said.'
    assert found["b.wav"].text == "From a file."
    assert found["c.wav"].error.startswith("line 5 of")
    assert "no.txt" in found["d.wav"].error


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("file,text\na,b\n", "needs a first line"),
        ("", "needs a first line"),
        ("recording,text\na,b\na,c\n", "has a twice, at line 3"),
    ],
)
def test_what_is_no_table_is_named(tmp_path, content, problem):
    (tmp_path / "t.csv").write_text(content)
    with pytest.raises(TextError, match=problem):
        read_table(tmp_path / "t.csv")
