"""`maie master-key` writes a key for its owner only, and never loses one."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from maie_cli.app import app
from maie_runtime.vault.key_file import keys_in

pytestmark = pytest.mark.unit


def test_it_writes_a_key_and_says_how_to_use_it(tmp_path: Path) -> None:
    path = tmp_path / "a [red]name"
    done = CliRunner().invoke(app, ["master-key", str(path)])
    assert done.exit_code == 0
    assert done.output == f"export MAIE_GATEWAY_MASTER_KEY={path.as_uri()}\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(keys_in(path.read_text())) == 1


def test_it_overwrites_nothing(tmp_path: Path) -> None:
    path = tmp_path / "key"
    CliRunner().invoke(app, ["master-key", str(path)])
    before = path.read_text()
    again = CliRunner().invoke(app, ["master-key", str(path)])
    assert (again.exit_code, path.read_text()) == (2, before)


def test_rotation_puts_a_new_key_before_the_old_ones(tmp_path: Path) -> None:
    path = tmp_path / "key"
    CliRunner().invoke(app, ["master-key", str(path)])
    before = keys_in(path.read_text())
    done = CliRunner().invoke(app, ["master-key", "--rotate", str(path)])
    assert done.exit_code == 0
    after = keys_in(path.read_text())
    assert after[1:] == before
    assert after[0] not in before
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["key"]


def test_only_files_of_keys_are_rotated(tmp_path: Path) -> None:
    path = tmp_path / "notes"
    path.write_text("something else")
    done = CliRunner().invoke(app, ["master-key", "--rotate", str(path)])
    assert (done.exit_code, path.read_text()) == (2, "something else")
    assert "no file of a master key" in done.output
