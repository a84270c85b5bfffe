"""A file says whether a process serves, and gets old where the process hangs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from maie_runtime.health_file import HealthFile
from maie_runtime.probe import MAX_AGE_SECONDS, probe
from tests.waiting import until

pytestmark = pytest.mark.unit


async def test_a_probe_sees_whether_the_process_serves(tmp_path: Path) -> None:
    path = tmp_path / "health"
    health = HealthFile(path)
    assert "No such file" in probe(path, alive=True)
    async with health.kept():
        assert "NOT_SERVING" in probe(path)
        assert probe(path, alive=True) == ""
        health.set_serving(True)
        assert probe(path) == ""
        health.set_serving(False)
        assert "NOT_SERVING" in probe(path)
    assert not path.exists()
    assert not os.listdir(tmp_path)


async def test_the_file_is_renewed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maie_runtime.health_file.RENEW_SECONDS", 0.01)
    path = tmp_path / "health"
    async with HealthFile(path).kept():
        os.utime(path, (1, 1))
        await until(lambda: path.stat().st_mtime > 1)


async def test_a_folder_that_cannot_be_written_for_a_while_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maie_runtime.health_file.RENEW_SECONDS", 0.01)
    folder, away = tmp_path / "run", tmp_path / "away"
    folder.mkdir()
    health = HealthFile(folder / "health")
    async with health.kept():
        with capture_logs() as logs:
            folder.rename(away)
            health.set_serving(True)
            await until(lambda: logs)
            away.rename(folder)
            await until(lambda: probe(folder / "health") == "")
    assert [line["event"] for line in logs] == ["health_file.failed"]


async def test_a_folder_that_is_not_there_at_the_start_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="MAIE_HEALTH_FILE"):
        async with HealthFile(tmp_path / "none" / "health").kept():
            pass


def test_an_old_file_is_that_of_a_process_that_hangs(tmp_path: Path) -> None:
    path = tmp_path / "health"
    path.write_text("SERVING")
    old = time.time() - MAX_AGE_SECONDS - 1
    os.utime(path, (old, old))
    for alive in (True, False):
        assert "hangs" in probe(path, alive=alive)


async def test_without_a_path_there_is_no_file(tmp_path: Path) -> None:
    health = HealthFile(None)
    async with health.kept():
        health.set_serving(True)
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize(
    ("content", "arguments", "code"),
    [
        ("SERVING", (), 0),
        ("NOT_SERVING", (), 1),
        ("NOT_SERVING", ("--alive",), 0),
        (None, ("--alive",), 1),
    ],
)
def test_the_command_says_it_by_its_exit_code(
    tmp_path: Path, content: str | None, arguments: tuple[str, ...], code: int
) -> None:
    path = tmp_path / "health"
    if content:
        path.write_text(content)
    ended = subprocess.run(
        [sys.executable, "-m", "maie_runtime.probe", path, *arguments],
        capture_output=True,
        check=False,
    )
    assert ended.returncode == code
    assert bool(ended.stderr) == bool(code)
