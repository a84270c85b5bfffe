"""Result files have safe names and stay in their folder."""

import sys
from pathlib import Path

import docx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maie_cli.files import Names, ResultError, ResultFolder, safe_name, write_results
from maie_formats.writers import WRITERS, Finished
from tests.client.fake_gateway import finished_job

pytestmark = pytest.mark.unit


@given(st.text())
def test_a_name_is_never_a_path_hidden_or_too_long(stem):
    name = safe_name(stem)
    assert name == Path(name).name
    assert "/" not in name
    assert "\0" not in name
    assert not name.startswith((".", "-"))
    assert 0 < len(name.encode()) <= 160


def test_two_recordings_of_one_name_get_two_names():
    names = Names()
    recordings = (Path("a/talk.wav"), Path("b/Talk.mp3"), Path("c/talk.ogg"))
    assert [names.of(each) for each in recordings] == ["talk", "Talk-2", "talk-3"]


def test_a_link_in_the_folder_is_replaced_and_not_followed(tmp_path):
    outside = tmp_path / "outside.txt"
    outside.write_text("mine")
    folder = tmp_path / "results"
    folder.mkdir()
    (folder / "talk.txt").symlink_to(outside)
    done = Finished(job=finished_job(), name="talk")
    written = write_results(done, folder, "talk", ["txt"])
    assert written == [folder / "talk.txt"]
    assert outside.read_text() == "mine"
    assert written[0].read_text() == "Hello. Goodbye.\n"


def test_all_formats_are_written_and_nothing_else_is_left(tmp_path):
    done = Finished(job=finished_job(), name="talk")
    written = write_results(done, tmp_path, "talk", WRITERS)
    assert sorted(tmp_path.iterdir()) == sorted(written)
    assert {path.suffix for path in written} == {f".{format_}" for format_ in WRITERS}


def test_a_word_document_is_a_file_like_any_other(tmp_path):
    done = Finished(job=finished_job(), name="talk")
    ResultFolder(tmp_path).check("talk", ["docx"])
    (written,) = write_results(done, tmp_path, "talk", ["docx"])
    assert docx.Document(str(written)).paragraphs[-1].text == "Hello. Goodbye."


def test_a_format_without_its_library_is_refused_before_a_job_runs(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "docx", None)
    folder = ResultFolder(tmp_path)
    folder.check("talk", WRITERS)
    with pytest.raises(ResultError, match="maie-formats\\[docx\\]"):
        folder.check("talk", ["docx"])
    monkeypatch.setitem(sys.modules, "manimgx_fonts_cjk", None)
    with pytest.raises(ResultError, match=r"pdf needs manimgx_fonts_cjk.*maie-formats\[pdf\]"):
        folder.check("talk", ["pdf"])
