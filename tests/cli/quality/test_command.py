"""`maie quality`: a folder of recordings."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import signal
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from maie.common.v1 import types_pb2 as common
from maie.quality.v1 import quality_pb2 as quality
from maie_runtime.worker.stage import StageContext
from tests.cli.command import MAIE, maie_at
from tests.empty_stages import ENGINE
from tests.gateway.conftest import EmptyMesh, empty_mesh  # noqa: F401 - a fixture
from tests.waiting import until

pytestmark = pytest.mark.mesh


def _rated(
    request: quality.AssessRequest, _: StageContext, __: int
) -> list[quality.AssessResponse]:
    if request.WhichOneof("source") == "speech_chunk":
        return [quality.AssessResponse(measures=quality.Measures(engine=ENGINE))]
    report = quality.QualityReport(overall={"mean": 2.4, "percentile_10": 2.1}, engine=ENGINE)
    return [quality.AssessResponse(report=report)]


async def test_a_folder_is_measured_and_limits_say_how_it_ends(
    empty_mesh: EmptyMesh,  # noqa: F811
    tmp_path: Path,
) -> None:
    empty_mesh.stages["quality"].answer = _rated
    folder, output = tmp_path / "in", tmp_path / "out"
    (folder / "more").mkdir(parents=True)
    for name in ("a.wav", "more/=b.FLAC", "notes.txt"):
        (folder / name).write_bytes(f"RIFF {name}".encode())
    asked = ("quality", str(folder), "--output", str(output), "--quiet")
    async with empty_mesh.running() as client:
        code, _, noted = await maie_at(client.address, *asked)
        assert code == 0, noted
        with (output / "quality.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert [Path(row["file"]).name for row in rows] == ["a.wav", "=b.FLAC"]
        assert {(row["overall"], row["snr_db"], row["error"]) for row in rows} == {("2.4", "", "")}
        found = json.loads((output / "quality.json").read_text())
        assert [row["overall_percentile_10"] for row in found] == [2.1, 2.1]
        assert "all within the limits" in (output / "quality.html").read_text()

        code, _, noted = await maie_at(client.address, *asked, "--min-overall", "2.5")
        assert code == 1
        assert "2 of 2 recordings, 2 measured before, 2 outside" in noted
        assert "overall 2.40 is below 2.5" in noted
        assert "2 outside the limits" in (output / "quality.html").read_text()
        # Nothing but the sound was asked for.
        jobs = [each async for each in client.list_jobs()]
        assert len(jobs) == 2
        for each in jobs:
            assert [stage.stage for stage in each.progress] == [
                common.STAGE_PREPROCESS,
                common.STAGE_QUALITY,
            ]


async def test_what_an_earlier_run_has_measured_is_not_measured_again(
    empty_mesh: EmptyMesh,  # noqa: F811
    tmp_path: Path,
) -> None:
    empty_mesh.stages["quality"].answer = _rated
    folder, output = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    (folder / "a.wav").write_bytes(b"RIFF a")
    asked = ("quality", str(folder), "--output", str(output), "--quiet")

    async def noted() -> str:
        code, _, said = await maie_at(client.address, *asked)
        assert code == 0, said
        return said

    async with empty_mesh.running() as client:
        assert "1 of 1 recordings, 0 measured before" in await noted()
        before = json.loads((output / "quality.json").read_text())
        # It moved, and another one came.
        (folder / "a.wav").rename(folder / "z.wav")
        (folder / "b.wav").write_bytes(b"RIFF b")
        assert "2 of 2 recordings, 1 measured before" in await noted()
        new, moved = json.loads((output / "quality.json").read_text())
        assert (Path(new["file"]).name, Path(moved["file"]).name) == ("b.wav", "z.wav")
        assert moved | {"file": ""} == before[0] | {"file": ""}
        # What another version has kept, or nobody, is measured.
        for kept in (output / ".done").iterdir():
            kept.write_text('{"file": "", "grade": 1}' if kept.stat().st_size % 2 else "{")
        assert "2 of 2 recordings, 0 measured before" in await noted()
        assert len([each async for each in client.list_jobs()]) == 4


async def test_what_was_measured_before_ctrl_c_is_in_the_report(
    empty_mesh: EmptyMesh,  # noqa: F811
    tmp_path: Path,
) -> None:
    measured: set[str] = set()

    async def one_job_alone(context: StageContext) -> None:
        if context.unit == "quality.reduce":
            measured.add(context.job_id)
            if len(measured) > 1:
                await asyncio.Event().wait()

    stage = empty_mesh.stages["quality"]
    stage.answer, stage.hook = _rated, one_job_alone
    folder, output = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for name in ("a.wav", "b.wav"):
        (folder / name).write_bytes(name.encode())
    async with empty_mesh.running() as client:
        environment = os.environ | {"MAIE_GATEWAY": client.address}
        process = await asyncio.create_subprocess_exec(
            *(MAIE, "quality", folder, "--output", output),
            stderr=PIPE,
            env=environment,
        )
        await until(lambda: len(measured) == 2 and any((output / ".done").glob("*.json")))
        process.send_signal(signal.SIGINT)
        _, errors = await process.communicate()
    assert process.returncode == 130
    assert "1 of 2 recordings, 0 measured before" in errors.decode()
    assert "maie jobs watch" in errors.decode()
    assert len(json.loads((output / "quality.json").read_text())) == 1


async def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("none")
    asked = ("quality", str(tmp_path), "--output", str(tmp_path / "out"))
    code, _, errors = await maie_at("127.0.0.1:1", *asked)
    assert (code, "There are no recordings" in errors) == (2, True)
    code, _, errors = await maie_at("127.0.0.1:1", "quality", str(tmp_path / "no"), *asked[2:])
    assert (code, "There is no folder" in errors) == (2, True)
