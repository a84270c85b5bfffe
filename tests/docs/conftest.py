"""Pages in a browser, and the documentation as a site."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.browser import browser, page  # noqa: F401

ROOT = Path(__file__).parents[2]
MKDOCS = ROOT / ".venv-docs/bin/mkdocs"

needs_mkdocs = pytest.mark.skipif(not MKDOCS.exists(), reason="MkDocs is missing: make docs")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site, as it is built now."""
    folder = tmp_path_factory.mktemp("site")
    done = mkdocs(ROOT, folder)
    assert done.returncode == 0, done.stderr
    return folder


def mkdocs(repository: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """Builds the site of a repository into a folder; a warning fails, which --quiet would hide."""
    return subprocess.run(
        [MKDOCS, "build", "--strict", "--site-dir", site],
        cwd=repository,
        env={"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
