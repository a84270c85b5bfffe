"""Makes untrusted text safe for a line of output."""

from __future__ import annotations

import re
import unicodedata

# Control characters, direction marks, private characters: they move cursors, hide text or reverse
# it, and do not occur in speech.
_UNWANTED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
# Words of Persian and of Indian languages need these.
_JOINERS = frozenset("\u200c\u200d")
_SPACES = re.compile(r"\s+")
# Python's representation of invalid UTF-8 in file names.
_SURROGATES = re.compile("[\ud800-\udfff]")


def plain(text: str) -> str:
    """One line of visible text: white space as single spaces, no control characters."""
    known = _SURROGATES.sub("\ufffd", _SPACES.sub(" ", text))
    kept = (letter for letter in known if _is_wanted(letter))
    return _SPACES.sub(" ", "".join(kept)).strip()


def _is_wanted(letter: str) -> bool:
    return letter in _JOINERS or unicodedata.category(letter) not in _UNWANTED
