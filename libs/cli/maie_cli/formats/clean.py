"""Text of unknown origin, made fit for a line of output."""

from __future__ import annotations

import re
import unicodedata

# Controls, marks of direction, private characters: they move cursors, hide text or turn it round,
# and no speech holds them.
_UNWANTED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
# Without these, words of Persian and of Indian languages are other words.
_JOINERS = frozenset("\u200c\u200d")
_SPACES = re.compile(r"\s+")
# Bytes of a file's name that are no UTF-8, as Python has them.
_SURROGATES = re.compile("[\ud800-\udfff]")


def plain(text: str) -> str:
    """One line of visible text: white space as single spaces, no control characters."""
    known = _SURROGATES.sub("\ufffd", _SPACES.sub(" ", text))
    kept = (letter for letter in known if _is_wanted(letter))
    return _SPACES.sub(" ", "".join(kept)).strip()


def _is_wanted(letter: str) -> bool:
    return letter in _JOINERS or unicodedata.category(letter) not in _UNWANTED
