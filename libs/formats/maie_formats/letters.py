"""The letters that the fonts of PDFs have."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from unicodedata import category

from uharfbuzz import Blob, Face

from maie_formats.fonts import folders

_SUFFIXES = frozenset({".ttf", ".otf", ".ttc"})
# They join or direct letters, or are spaces; no font needs to have them.
_INVISIBLE = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})


def missing_letters(text: str) -> list[str]:
    """The letters of a text that no font has, each once, in the order of their numbers."""
    return sorted(letter for letter in set(text) - _letters() if category(letter) not in _INVISIBLE)


@cache
def _letters() -> frozenset[str]:
    return frozenset(chr(number) for face in _faces() for number in face.unicodes)


def _faces() -> Iterator[Face]:
    for folder in folders():
        for path in sorted(folder.rglob("*")):
            if path.suffix in _SUFFIXES:
                yield Face(Blob.from_file_path(path))
