"""Lists of packages for others name the licence of each, as the page of licences does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tools.licences import LOCKS, TARGET
from tools.sbom import unlicensed, with_licences

pytestmark = pytest.mark.unit

PAGE = (Path(__file__).parents[2] / TARGET).read_text()
ROWS: dict[str, str] = dict(re.findall(r"^\| `(\S+)` \| \S+ \| (.+?) \|", PAGE, re.M))


def listed(*names: str) -> dict[str, Any]:
    """A document as cyclonedx-py writes it of a lock."""
    components = [{"type": "library", "name": name, "version": "1"} for name in names]
    return {"bomFormat": "CycloneDX", "components": components}


def licence(component: dict[str, Any]) -> str:
    (only,) = component["licenses"]
    return str(only.get("expression") or only["license"]["name"])


@pytest.mark.parametrize("lock", sorted(LOCKS.glob("maie-*.txt")), ids=lambda path: path.stem)
def test_each_package_of_a_lock_has_the_licence_of_the_page(lock: Path) -> None:
    names = re.findall(r"^([a-z0-9_.-]+)==", lock.read_text(), re.M)
    document = with_licences(listed(*names))
    assert len(document["components"]) == len(names)
    on_page = {each["name"] for each in document["components"]} & set(ROWS)
    assert len(on_page) > len(names) / 2
    for each in document["components"]:
        if each["name"] in ROWS:
            assert licence(each).casefold() == ROWS[each["name"]].casefold()
    # Those are of other systems than Linux, so the page does not have them.
    assert not set(unlicensed(document)) & set(ROWS)


def test_a_licence_is_an_expression_of_spdx_or_the_words_of_its_package() -> None:
    document = with_licences(listed("pydantic", "no-such-package"))
    pydantic, unknown = document["components"]
    assert pydantic["licenses"] == [{"expression": "MIT", "acknowledgement": "declared"}]
    assert "licenses" not in unknown
    assert unlicensed(document) == ["no-such-package"]
    words = next(name for name, stated in ROWS.items() if stated == "BSD License")
    (of_words,) = with_licences(listed(words))["components"]
    named = {"name": "BSD License", "acknowledgement": "declared"}
    assert of_words["licenses"] == [{"license": named}]
