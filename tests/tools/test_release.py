"""What must not be released is named: each mistake that is planted here."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tools.release.__main__ import UV, is_well
from tools.release.clean_install import WHOLE, Installed, module_problems
from tools.release.sources import changelog_problems, contract_problems, sbom_problems
from tools.release.wheels import build, members, module, wheel_problems
from tools.version import ROOT, version

pytestmark = pytest.mark.unit

MEMBER = ROOT / "libs/templates"
WEB = ROOT / "services/web"
DATA = "maie_templates/builtin/lecture_v1/schema.json"
LICENCE_FILES = 'license-files = ["LICENSE"]\n'
NUMBER = "1.2.0"
PARTS = "Contract: v1, v2. Chart: 1.2.0."
CHANGELOG = f"""# Changelog

## Unreleased

## 1.2.0 - 2026-12-01

{PARTS}

### Added
- Something.

## 1.1.0 - 2026-11-01
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Sources of which everything can be released."""
    (tmp_path / "VERSION").write_text(f"{NUMBER}\n")
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    packages = ("job/v1", "live/v1", "live/v2")
    for name in (*(f"protos/maie/{each}" for each in packages), "locks", "build/sbom"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "protos/released.binpb").touch()
    (tmp_path / "locks/maie-asr.txt").write_text(
        "numpy==2.4.6 \\\n    --hash=sha256:00\nav==18.1.0\n"
    )
    (tmp_path / "locks/workspace.txt").write_text("pytest==9\n")
    document = {
        "metadata": {"component": {"version": NUMBER}},
        "components": [{"name": "numpy"}, {"name": "av"}],
    }
    (tmp_path / "build/sbom/maie-asr.cdx.json").write_text(json.dumps(document))
    return tmp_path


def test_good_sources_have_no_problem(root: Path) -> None:
    for check in (changelog_problems, contract_problems, sbom_problems):
        assert list(check(root)) == []


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("## 1.2.0 -", "## 1.2.1 -", ["no section `## 1.2.0"]),
        ("## 1.2.0 - 2026-12-01", "## 1.2.0", ["has no date"]),
        ("## 1.2.0 - 2026-12-01", "## 1.2.0 - soon", ["has no date"]),
        (f"{PARTS}\n\n### Added\n- Something.\n", "", ["is empty"]),
        (PARTS, "", [f"lacks the line `{PARTS}`"]),
        ("v1, v2", "v1", [f"lacks the line `{PARTS}`"]),
        ("## Unreleased\n", "## Unreleased\n- Another thing.\n", ["has entries"]),
        (CHANGELOG, "# Changelog\n", ["no section `## 1.2.0"]),
    ],
)
def test_a_changelog_without_the_release_is_named(
    root: Path, before: str, after: str, words: list[str]
) -> None:
    path = root / "CHANGELOG.md"
    path.write_text(path.read_text().replace(before, after))
    found = list(changelog_problems(root))
    assert len(found) == len(words)
    assert all(word in problem for word, problem in zip(words, found, strict=True))


def test_from_1_0_0_on_the_contract_is_frozen(root: Path) -> None:
    (root / "protos/released.binpb").unlink()
    (problem,) = contract_problems(root)
    assert "make release-contract" in problem
    (root / "VERSION").write_text("0.9.0\n")
    assert list(contract_problems(root)) == []


def test_a_list_of_packages_that_is_missing_old_or_short_is_named(root: Path) -> None:
    path = root / "build/sbom/maie-asr.cdx.json"
    document = json.loads(path.read_text())
    document["metadata"]["component"]["version"] = "1.1.0"
    document["components"].pop()
    path.write_text(json.dumps(document))
    old, short = sbom_problems(root)
    assert "is of version 1.1.0" in old
    assert "lacks av" in short
    path.unlink()
    (missing,) = sbom_problems(root)
    assert "is missing" in missing


@pytest.fixture(scope="module")
def member(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of a distribution, in a repository of its own."""
    return kept(MEMBER, tmp_path_factory.mktemp("member"))


def kept(member: Path, folder: Path) -> Path:
    """A copy of a distribution without what is built, in a repository of its own."""
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", "static")
    copy = shutil.copytree(member, folder / member.name, ignore=ignored)
    for arguments in (("init", "-q"), ("add", ".")):
        subprocess.run(("git", *arguments), cwd=copy, check=True)
    return copy


@pytest.fixture
def copy(member: Path, tmp_path: Path) -> Path:
    return shutil.copytree(member, tmp_path / member.name)


def built(copy: Path, *, of: str | None = None) -> list[str]:
    """What is wrong with the wheel of a distribution."""
    folder = copy.parent / "wheels"
    folder.mkdir()
    return list(wheel_problems(build(UV, copy, folder), copy, of or version()))


def test_a_good_wheel_has_no_problem(copy: Path) -> None:
    assert built(copy) == []


def test_a_data_file_that_a_wheel_lacks_is_named(copy: Path) -> None:
    (copy / DATA).unlink()
    (problem,) = built(copy)
    assert problem.endswith(f"{DATA} is missing.")


def test_a_wheel_has_what_is_built_though_git_has_not(tmp_path: Path) -> None:
    web = kept(WEB, tmp_path)
    (problem,) = built(web)
    assert problem.endswith("maie_web/static/index.html is missing; run make console.")
    shutil.rmtree(tmp_path / "wheels")
    (web / "maie_web/static/assets").mkdir(parents=True)
    for name in ("index.html", "assets/index-1.js"):
        (web / "maie_web/static" / name).touch()
    assert built(web) == []


def test_a_data_file_that_the_build_leaves_out_is_named(copy: Path) -> None:
    settings = copy / "pyproject.toml"
    backend = "[tool.uv.build-backend]\n"
    text = settings.read_text()
    assert backend in text
    settings.write_text(text.replace(backend, f'{backend}wheel-exclude = ["*.json"]\n'))
    missing = built(copy)
    assert any(problem.endswith(f"{DATA} is missing.") for problem in missing)
    assert all(problem.endswith(".json is missing.") for problem in missing)


def test_a_file_that_nobody_keeps_is_named(copy: Path) -> None:
    (copy / "maie_templates/notes.txt").write_text("mine")
    (problem,) = built(copy)
    assert problem.endswith("maie_templates/notes.txt is not in git.")


def test_a_package_without_types_is_named(copy: Path) -> None:
    subprocess.run(("git", "rm", "-qf", "maie_templates/py.typed"), cwd=copy, check=True)
    (problem,) = built(copy)
    assert "py.typed is missing" in problem


@pytest.mark.parametrize("damage", ["undeclared", "other"])
def test_a_wheel_without_the_licence_is_named(copy: Path, damage: str) -> None:
    if damage == "undeclared":
        settings = copy / "pyproject.toml"
        text = settings.read_text()
        assert LICENCE_FILES in text
        settings.write_text(text.replace(LICENCE_FILES, ""))
    else:
        # As a checkout without symbolic links has it.
        (copy / "LICENSE").write_text("../../LICENSE")
    (problem,) = built(copy)
    assert "it lacks the file LICENSE" in problem


def test_a_wheel_of_another_version_is_named_and_so_is_what_it_requires(copy: Path) -> None:
    problems = built(copy, of="9.9.9")
    assert any("it is of version" in problem for problem in problems)
    for name in ("maie-contracts", "maie-core"):
        assert any(f"not {name}==9.9.9" in problem for problem in problems)


def test_every_distribution_is_built() -> None:
    names = [module(each) for each in members(ROOT)]
    assert len(names) == len(set(names)) == len(list(ROOT.glob("*/*/pyproject.toml"))) + 1
    assert {"maie", "maie_cli", "maie_gateway", "maie_asr"} <= set(names)


def test_what_is_installed_whole_requires_every_distribution() -> None:
    projects = [tomllib.loads((each / "pyproject.toml").read_text()) for each in members(ROOT)]
    named = {each["project"]["name"]: each["project"] for each in projects}
    left, reached = [WHOLE], set()
    while left:
        asked = Requirement(left.pop())
        if asked.name not in named or asked in reached:
            continue
        reached.add(asked)
        extras = named[asked.name].get("optional-dependencies", {})
        left += named[asked.name].get("dependencies", [])
        left += [each for extra in asked.extras for each in extras[extra]]
    assert {each.name for each in reached} == named.keys() - {"maie"}


def test_a_module_that_is_missing_or_of_the_checkout_is_named(tmp_path: Path) -> None:
    installed = Installed(folder=tmp_path / "environment", home=tmp_path)
    subprocess.run(
        (UV, "venv", "-q", "--offline", "--python", sys.executable, installed.folder), check=True
    )
    (packages,) = installed.folder.glob("lib/python*/site-packages")
    (packages / "maie_core").mkdir()
    (packages / "maie_core/__init__.py").touch()
    (packages / "editable.pth").write_text(f"{ROOT / 'libs/tls'}\n")
    missing, foreign = module_problems(installed, ["maie_asr", "maie_core", "maie_tls"])
    assert missing.endswith("does not bring maie_asr.")
    assert foreign.startswith(f"maie_tls comes from {ROOT}")


def test_problems_are_printed_below_what_was_checked(capsys: pytest.CaptureFixture[str]) -> None:
    assert is_well("wheels", [])
    assert not is_well("changelog", ["It is empty."])

    def fails() -> Iterator[str]:
        yield "The first."
        subprocess.run(("sh", "-c", "echo details; exit 3"), check=True, capture_output=True)

    assert not is_well("use", fails())
    lines = capsys.readouterr().out.splitlines()
    assert lines[:5] == ["· wheels", "✗ changelog", "  It is empty.", "✗ use", "  The first."]
    assert "details" in "".join(lines[5:])
