"""One version, and copies of it that cannot differ unseen."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tools.version import PLACES, ROOT, problems, version, write

pytestmark = pytest.mark.unit


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of all files that state the version."""
    for path in (
        ROOT / "VERSION",
        *(p for each in PLACES for f in each.files for p in ROOT.glob(f)),
    ):
        copy = tmp_path / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    return tmp_path


def test_all_copies_are_of_the_version() -> None:
    assert problems() == []


@pytest.mark.parametrize(
    ("file", "copy", "wrong"),
    [
        ("libs/client/pyproject.toml", 'version = "X"', 'version = "9.9.9"'),
        ("services/asr/pyproject.toml", '"maie-core==X"', '"maie-core==9.9.9"'),
        ("services/asr/pyproject.toml", '"maie-core==X"', '"maie-core"'),
        ("libs/cli/pyproject.toml", '"maie-livekit[sdk]==X"', '"maie-livekit[sdk]>=X"'),
        ("helm/maie/Chart.yaml", "\nversion: X", "\nversion: 9.9.9"),
        ("helm/maie/Chart.yaml", 'appVersion: "X"', 'appVersion: "9.9.9"'),
        ("helm/maie/values/pools.yaml", "tag: X-cuda", "tag: 9.9.9-cuda"),
        ("deploy/compose.yaml", "${VERSION:-X}", "${VERSION:-9.9.9}"),
    ],
)
def test_a_copy_that_differs_is_named(root: Path, file: str, copy: str, wrong: str) -> None:
    path, number = root / file, version(root)
    there, stated = copy.replace("X", number), wrong.replace("X", number)
    text = path.read_text()
    assert there in text
    path.write_text(text.replace(there, stated, 1))
    (problem,) = problems(root)
    assert problem.startswith(f"{file}:")
    assert stated.strip() in problem


def test_a_copy_that_is_not_there_is_named(root: Path) -> None:
    chart = root / "helm/maie/Chart.yaml"
    chart.write_text(chart.read_text().replace("appVersion", "appversion"))
    (problem,) = problems(root)
    assert problem.startswith("helm/maie/Chart.yaml: there is no copy")


@pytest.mark.parametrize("number", ["1.2", "1.2.3rc1", "v1.2.3", "01.2.3", "", "1.2.3\n4.5.6"])
def test_what_is_no_version_is_refused(root: Path, number: str) -> None:
    with pytest.raises(ValueError, match="no version"):
        write(number, root)
    (root / "VERSION").write_text(number)
    (problem,) = problems(root)
    assert "no version" in problem


def test_a_new_version_is_written_everywhere_and_changes_nothing_else(root: Path) -> None:
    before = version(root)
    texts = {path: path.read_text() for path in root.rglob("*") if path.is_file()}
    write("12.0.34", root)
    assert version(root) == "12.0.34"
    assert problems(root) == []
    changed = sum(path.read_text() != text for path, text in texts.items())
    assert changed > 19
    write(before, root)
    assert {path: path.read_text() for path in texts} == texts
