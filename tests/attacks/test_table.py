"""The table of attacks is whole, and docs/attacks.md has it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.attacks.table import ATTACKS, markdown

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent


def test_attacks_are_numbered_and_each_has_a_test() -> None:
    assert [each.number for each in ATTACKS] == list(range(1, 25))
    sources = "".join(path.read_text() for path in FOLDER.glob("test_*.py"))
    here = {int(number) for number in re.findall(r"pytest\.mark\.attack\((\d+)\)", sources)}
    assert all(each.also or each.number in here for each in ATTACKS)


def test_tests_elsewhere_exist() -> None:
    for attack in ATTACKS:
        for node in attack.also:
            path, _, name = node.partition("::")
            assert re.search(rf"^(async )?def {name}\(", (ROOT / path).read_text(), re.M), node


def test_the_page_has_the_table() -> None:
    assert markdown() in (ROOT / "docs" / "attacks.md").read_text()
