"""The fonts of PDFs, for the alphabets of the world; the extra `pdf` installs them."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

PACKAGES = ("manimgx_fonts", "manimgx_fonts_cjk", "fontpkg_ibm_plex_sans_arabic")
"""The packages that hold fonts and nothing else."""
# Noto's Arabic letters are bodies and dots apart, which few readers put together again as text.
_FIRST = ("Noto Sans", "IBM Plex Sans Arabic")
_SIMPLIFIED, _TRADITIONAL = "Noto Sans CJK SC", "Noto Sans CJK TC"
# Chinese, Japanese and Korean write some characters of the same number differently.
_HAN = {
    "ja": "Noto Sans CJK JP",
    "ko": "Noto Sans CJK KR",
    "zh": _SIMPLIFIED,
    "yue": "Noto Sans CJK HK",
}
_TRADITIONAL_TAGS = frozenset({"hant", "tw", "hk", "mo"})


def folders() -> list[Path]:
    """Where the fonts are."""
    specs = filter(None, map(find_spec, PACKAGES))
    return [Path(place) for spec in specs for place in spec.submodule_search_locations or ()]


def families(language: str) -> Sequence[str]:
    """The fonts by preference; letters that none of them has come from the other ones.

    Args:
        language: The text's language as a BCP-47 tag; may be empty.
    """
    name, *tags = language.lower().split("-")
    han = _TRADITIONAL if name == "zh" and _TRADITIONAL_TAGS.intersection(tags) else _HAN.get(name)
    return (*_FIRST, han or _SIMPLIFIED)
