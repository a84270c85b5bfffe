"""Writes the pages that are generated from the code: python -m tools.pages [--check]."""

from __future__ import annotations

import sys
from pathlib import Path

from tools import api_reference, contract_comments, licences, reasons_reference, settings_reference

ROOT = Path(__file__).parents[1]
GENERATED = (api_reference, contract_comments, licences, reasons_reference, settings_reference)
PAGES = {page.TARGET: page.reference for page in GENERATED}


def stale() -> dict[str, str]:
    """The pages that are not what the code says, by path, with what they should be."""
    wanted = {target: reference() for target, reference in PAGES.items()}
    return {target: text for target, text in wanted.items() if _current(target) != text}


def _current(target: str) -> str:
    page = ROOT / target
    return page.read_text(encoding="utf-8") if page.exists() else ""


def main() -> None:
    """Writes stale pages; with --check it names them and exits with status 1 instead."""
    found = stale()
    if "--check" in sys.argv[1:]:
        for target in found:
            print(f"{target} is stale; run make generate")
        sys.exit(1 if found else 0)
    for target, text in found.items():
        (ROOT / target).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
