"""Sees that clean text holds the same words, and how much else changed."""

from __future__ import annotations

from collections.abc import Sequence

from rapidfuzz.distance import Levenshtein


def words_of(text: str) -> list[str]:
    """The words of a text, without case, punctuation or spacing."""
    letters = ("".join(c for c in token.casefold() if c.isalnum()) for token in text.split())
    return [word for word in letters if word]


def same_words(raw: str, clean: str) -> bool:
    """Whether no word was changed, added, dropped or moved."""
    return words_of(raw) == words_of(clean)


def edit_rate(raw: Sequence[str], clean: Sequence[str]) -> float:
    """Levenshtein distance over the longer one's length, 0 to 1.

    Args:
        raw: The raw text of each segment.
        clean: The clean text of each segment.
    """
    # The distances of the segments add up to at least that of the whole; knowing about how large it
    # is saves most of the work.
    hint = sum(Levenshtein.distance(a, b) for a, b in zip(raw, clean, strict=True))
    before, after = " ".join(raw), " ".join(clean)
    distance = Levenshtein.distance(before, after, score_hint=hint)
    return distance / max(len(before), len(after), 1)
