"""`maie quality`: a folder of recordings."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from maie.common.v1 import types_pb2 as common
from maie.quality.v1 import quality_pb2 as quality
from maie_runtime.worker.stage import StageContext
from tests.cli.command import maie_at
from tests.empty_stages import ENGINE
from tests.gateway.conftest import EmptyMesh, empty_mesh  # noqa: F401 - a fixture

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
        (folder / name).write_bytes(b"RIFF")
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
        assert "overall 2.40 is below 2.5" in noted
        assert "2 outside the limits" in (output / "quality.html").read_text()
        # Nothing but the sound was asked for.
        jobs = [each async for each in client.list_jobs()]
        assert len(jobs) == 4
        for each in jobs:
            assert [stage.stage for stage in each.progress] == [
                common.STAGE_PREPROCESS,
                common.STAGE_QUALITY,
            ]


async def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("none")
    asked = ("quality", str(tmp_path), "--output", str(tmp_path / "out"))
    code, _, errors = await maie_at("127.0.0.1:1", *asked)
    assert (code, "There are no recordings" in errors) == (2, True)
    code, _, errors = await maie_at("127.0.0.1:1", "quality", str(tmp_path / "no"), *asked[2:])
    assert (code, "There is no folder" in errors) == (2, True)
