"""What counts as a word: one rule for what is indexed and for what is asked.

Both databases are handed words that are cut and folded here, so the same
query finds the same jobs in either.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

# Scripts that put no spaces between words are cut into characters; a word of
# theirs is then a phrase of characters, found wherever it stands.
_CHARACTER_SCRIPTS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_CHARACTER_SCRIPTS}]|[^\W_{_CHARACTER_SCRIPTS}]+")
# PostgreSQL takes lexemes of at most 2046 bytes; no word of a language is near this.
MAX_WORD_LENGTH = 64
# A private character: no word of a text or of a query is ever this.
TEXT_END = "\ue000"


def words(text: str) -> list[str]:
    """The words of a text in order, without case, accents and punctuation."""
    folded = _decomposed(_decomposed(text).casefold())
    bare = "".join(char for char in folded if unicodedata.category(char) != "Mn")
    return [word[:MAX_WORD_LENGTH] for word in _WORD.findall(bare)]


def spaced(found: list[str]) -> str:
    """Words as they are stored: a space before, between and after them."""
    return f" {' '.join(found)} " if found else ""


def joined(texts: Iterable[str]) -> str:
    """Several stored texts as one, so that no phrase reaches from one into the next."""
    return TEXT_END.join(text for text in texts if text)


def storable(text: str) -> str:
    """A text as PostgreSQL takes it, which has no NUL character."""
    return text.replace("\0", "\ufffd")


def _decomposed(text: str) -> str:
    return unicodedata.normalize("NFKD", text)
