"""How many entries a page has."""

from __future__ import annotations

from maie_core.errors import invalid
from maie_core.reasons import Reason


def page_size(asked: int, default: int, most: int) -> int:
    """The size of a page: the default for 0, and never more than the most.

    Raises:
        StageError: INVALID_ARGUMENT with PAGE_SIZE_INVALID for less than 0.
    """
    if asked < 0:
        raise invalid(Reason.PAGE_SIZE_INVALID, "A page size is 0 or more.", field="page_size")
    return min(asked or default, most)
