"""The direction in which a paragraph is read."""

from __future__ import annotations

import unicodedata

_RIGHT_TO_LEFT = frozenset({"R", "AL"})


def is_right_to_left(text: str) -> bool:
    """Whether a paragraph's first letter that has a direction is read from right to left.

    As UAX #9 says in P2 and P3.
    """
    strong = (unicodedata.bidirectional(letter) for letter in text)
    return next((kind for kind in strong if kind in _RIGHT_TO_LEFT | {"L"}), "L") in _RIGHT_TO_LEFT
