"""Decides which words begin with a capital."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def capitalise(word: str) -> str:
    """The word with a capital, if that changes only the case."""
    for at, character in enumerate(word):
        if character.isalnum():
            upper = character.upper()
            same = len(upper) == 1 and upper.casefold() == character.casefold()
            return word[:at] + upper + word[at + 1 :] if same else word
    return word


class Casing:
    """Recognises proper names, also ordinary words that are names in their context.

    Args:
        rules: The tables of `english.toml`.
    """

    def __init__(self, rules: dict[str, Any]) -> None:
        casing = rules["casing"]
        self._sets = {name: frozenset(words) for name, words in casing.items()}
        # "We may second that" is not a date.
        self._sets["dates"] = (self._sets["ordinals"] - {"second"}) | {"twenty"}
        self._proper = self._sets["always"] | self._sets["days"] | self._sets["names"]

    def is_proper(self, words: Sequence[str], at: int) -> bool:
        """Whether the word at a position of a sentence of normalised words has a capital."""
        word = words[at].removesuffix("'s")
        if words[at] == "i" or words[at].startswith("i'"):
            return True
        if word in self._proper or self._in_phrase(words, at):
            return True
        if word in self._sets["months"]:
            return self._is_month(words, at)
        return word in self._sets["word_names"] and self._is_name(words, at)

    def _in_phrase(self, words: Sequence[str], at: int) -> bool:
        pairs = (words[at : at + 2], words[max(at - 1, 0) : at + 1])
        return any(len(pair) == 2 and " ".join(pair) in self._sets["phrases"] for pair in pairs)

    def _is_month(self, words: Sequence[str], at: int) -> bool:
        """Such as "third of may", "in march", "may the third"."""
        before, before_that = (words[at - 1] if at else ""), (words[at - 2] if at > 1 else "")
        after = [*words[at + 1 : at + 3], "", ""]
        if before == "of":
            return before_that in self._sets["ordinals"] | self._sets["parts"]
        if before in self._sets["before_month"] or before in self._sets["ordinals"] - {
            "second",
            "month",
        }:
            return True
        date = after[1] if after[0] == "the" else after[0]
        return (
            date in self._sets["ordinals"] - {"end", "beginning", "middle", "month", "second"}
            or date == "twenty"
        )

    def _is_name(self, words: Sequence[str], at: int) -> bool:
        before = words[at - 1] if at else ""
        after = words[at + 1] if at + 1 < len(words) else ""
        starts_clause = at == 0 or before in self._sets["clause_starts"]
        return (starts_clause and after in self._sets["after_name"]) or before in self._sets[
            "greetings"
        ]
