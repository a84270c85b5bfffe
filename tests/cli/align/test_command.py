"""`maie align` through a mesh: one reading, and many of a folder."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from maie.alignment.v1 import alignment_pb2 as alignment
from maie_runtime.worker.stage import StageContext
from tests.cli.align.test_clips import recording
from tests.cli.command import maie_at
from tests.formats.readings import TEXT, reading
from tests.gateway.conftest import EmptyMesh, empty_mesh  # noqa: F401 - a fixture

pytestmark = pytest.mark.mesh


def _read(_: alignment.AlignRequest, __: StageContext, ___: int) -> list[alignment.AlignResponse]:
    return [alignment.AlignResponse(reading=reading())]


@pytest.fixture(name="mesh")
def _mesh(empty_mesh: EmptyMesh) -> EmptyMesh:  # noqa: F811
    empty_mesh.stages["alignment"].answer = _read
    return empty_mesh


async def test_a_reading_is_shown_and_written_with_its_clips(mesh: EmptyMesh, tmp_path: Path):
    talk, output = recording(tmp_path / "a talk.wav"), tmp_path / "out"
    (tmp_path / "text.txt").write_text(TEXT)
    asked = ("align", talk, "--text", tmp_path / "text.txt", "--quiet")
    async with mesh.running() as client:
        code, shown, noted = await maie_at(client.address, *asked, "-o", output, "--clips", "flac")
        assert code == 0, noted
        assert "5 of 7 (71.4%)" in shown
        assert '"Once, ✗upon (up on) ↻up' in shown
        assert "reading of a talk.wav" in shown

        code, printed, _ = await maie_at(client.address, *asked, "--json")
        assert (code, json.loads(printed)["figures"]["wrong"]) == (0, 1)
    names = {each.name for each in output.iterdir()}
    assert names == {
        "a-talk",
        *(f"a-talk.{each}" for each in ("json", "md", "TextGrid", "ctm", "html")),
    }
    # What lies beside is played from there.
    assert 'src="../a%20talk.wav"' in (output / "a-talk.html").read_text()
    clips = sorted(each.name for each in (output / "a-talk").iterdir())
    assert clips == ["00001.flac", "00002.flac", "00003.flac", "clips.csv", "clips.jsonl"]


async def test_a_recording_without_speech_is_named(empty_mesh: EmptyMesh, tmp_path: Path):  # noqa: F811
    (tmp_path / "text.txt").write_text(TEXT)
    talk = recording(tmp_path / "talk.wav")
    async with empty_mesh.running() as client:
        asked = ("align", talk, "--text", tmp_path / "text.txt", "--quiet")
        code, shown, errors = await maie_at(client.address, *asked)
    assert (code, shown) == (2, "")
    assert errors.startswith("error: No speech was found; ")


async def test_wrong_usage_is_one_sentence(tmp_path: Path):
    talk = recording(tmp_path / "talk.wav")
    for name, content in (("empty.txt", b""), ("other.txt", b"\xff\xfe"), ("none.txt", b"...")):
        (tmp_path / name).write_bytes(content)
    for arguments, problem in (
        ((talk, "--text", tmp_path / "empty.txt"), "empty.txt is empty"),
        ((talk, "--text", tmp_path / "other.txt"), "is not UTF-8"),
        ((talk, "--text", tmp_path / "none.txt"), "has no words"),
        ((talk, "--text", tmp_path / "no.txt"), "cannot be read"),
        ((tmp_path / "no.wav", "--text", tmp_path / "empty.txt"), "There is no file"),
        ((talk,), "needs --text"),
        ((tmp_path, "--text", tmp_path / "empty.txt"), "needs --texts"),
        (("https://127.0.0.1/a.wav", "--text", tmp_path / "empty.txt"), "from a file, a folder"),
        ((talk, "--text", tmp_path / "empty.txt", "--clips", "wav"), "--output"),
    ):
        code, _, errors = await maie_at("127.0.0.1:1", "align", *arguments)
        assert code == 2
        assert problem in " ".join(errors.replace("│", " ").split())


async def test_a_folder_is_compared_and_nothing_is_done_twice(mesh: EmptyMesh, tmp_path: Path):
    folder, output = tmp_path / "in", tmp_path / "out"
    (folder / "more").mkdir(parents=True)
    for name in ("a.wav", "more/a.wav"):
        (folder / name).write_bytes(name.encode())
    table = tmp_path / "texts.csv"
    table.write_text("recording,text\na.wav,Once\nmore/a.wav,upon\nno.wav,a time\nempty.wav,\n")
    asked = ("align", folder, "--texts", table, "-o", output, "--quiet")
    async with mesh.running() as client:
        code, _, noted = await maie_at(client.address, *asked)
        assert code == 2
        assert "4 of 4 recordings, 2 failed, 0 done before; 10 of 14 words correct" in noted
        assert len([each async for each in client.list_jobs()]) == 2

        (folder / "more/a.wav").write_bytes(b"another one")
        code, _, noted = await maie_at(client.address, *asked)
        assert "2 failed, 1 done before" in noted
        assert len([each async for each in client.list_jobs()]) == 3
        table.write_text("recording,text\na.wav,Another text\nmore/a.wav,upon\n")
        code, _, noted = await maie_at(client.address, *asked)
        assert (code, "0 failed, 1 done before" in noted) == (0, True)
    with (output / "readings.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["recording"] for row in rows] == ["a.wav", "more/a.wav", "in all"]
    assert [row["correct"] for row in rows] == ["5", "5", "10"]
    # Two recordings of one name have files of their own.
    assert len({row["files"] for row in rows[:2]}) == 2
    assert all((output / f"{row['files']}.TextGrid").is_file() for row in rows[:2])
    found = json.loads((output / "readings.json").read_text())
    assert found["in_all"]["words_correct_per_minute"] == pytest.approx(10 * 60 / 7.6, abs=0.1)
