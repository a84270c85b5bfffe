"""The generated pages say what the code does."""

from __future__ import annotations

import enum

import pytest

from tools import pages
from tools.reasons_reference import documentation

pytestmark = pytest.mark.unit


def test_no_generated_page_is_stale() -> None:
    assert pages.stale() == {}


class Undocumented(enum.StrEnum):
    FIRST = "FIRST"
    """What happened. What to do."""
    SECOND = "SECOND"
    THIRD = "THIRD"
    """What happened. What to do."""


def test_a_reason_without_documentation_is_named() -> None:
    with pytest.raises(ValueError, match="SECOND"):
        documentation(Undocumented)
