"""The pages name only files and targets that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
TOP_PAGES = ("ARCHITECTURE.md", "CONTRIBUTING.md")
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("*/README.md")]
# A page may name a file, or a folder, without its whole path.
ROOMS = (
    "gateway/maie_gateway",
    "libs/runtime/maie_runtime",
    "services/asr/maie_asr",
    "services/preprocess/maie_preprocess",
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\((?!http)([\w./-]+)", page.read_text(encoding="utf-8"))
    assert not [link for link in links if not (page.parent / link).exists()]


def is_there(name: str) -> bool:
    if (ROOT / name).exists():
        return True
    return any(next((ROOT / room).rglob(name.rstrip("/")), None) for room in ROOMS)


@pytest.mark.parametrize("page", TOP_PAGES)
def test_a_page_names_only_files_that_there_are(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    names = re.findall(r"`([\w./-]+(?:\.\w+|/))`", text)
    named = [name for name in names if "NAME" not in name]
    assert named
    assert not [name for name in named if not is_there(name)]


@pytest.mark.parametrize("page", TOP_PAGES)
def test_a_page_names_only_targets_that_there_are(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"`make ([a-z-]+)", text):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
