"""The generated pages say what the code does."""

from __future__ import annotations

import enum
from pathlib import Path

import pytest

from tools import pages
from tools.reasons_reference import documentation

pytestmark = pytest.mark.unit


def test_no_generated_page_is_stale() -> None:
    assert pages.stale() == {}


@pytest.mark.parametrize(("says", "status"), [("", 1), (None, 0)])
def test_the_check_fails_for_a_stale_page_alone(
    says: str | None, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for target, reference in pages.PAGES.items():
        page = tmp_path / target
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(reference() if says is None else says, encoding="utf-8")
    monkeypatch.setattr(pages, "ROOT", tmp_path)
    monkeypatch.setattr("sys.argv", ["pages", "--check"])
    with pytest.raises(SystemExit) as ended:
        pages.main()
    assert ended.value.code == status


class Undocumented(enum.StrEnum):
    FIRST = "FIRST"
    """What happened. What to do."""
    SECOND = "SECOND"
    THIRD = "THIRD"
    """What happened. What to do."""


def test_a_reason_without_documentation_is_named() -> None:
    with pytest.raises(ValueError, match="SECOND"):
        documentation(Undocumented)
