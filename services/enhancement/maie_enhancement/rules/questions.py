"""Detects questions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

# The most words in a question word's noun group, as in "how many more people do".
NOUN_GROUP = 4


class Questions:
    """Detects questions by question words and by verbs before their subjects.

    Args:
        rules: The tables of `english.toml`.
    """

    def __init__(self, rules: dict[str, Any]) -> None:
        self._rules = {name: frozenset(words) for name, words in rules["question"].items()}
        self._names = frozenset(rules["casing"]["names"] + rules["casing"]["word_names"])

    def is_question(self, words: Sequence[str]) -> bool:
        """Whether a sentence of normalised words is a question."""
        words = self._without_fillers(words)
        if len(words) < 2:
            return len(words) == 1 and words[0] in ("why", "when", "who", "where", "what")
        pair = " ".join(words[:2])
        if pair in self._rules["statements"]:
            return False
        return (
            self._inverted(words)
            or pair in self._rules["openers"]
            or words[0] in self._rules["openers"]
            or self._asks(words)
            or " ".join(words[-2:]) in self._rules["tags"]
        )

    def _without_fillers(self, words: Sequence[str]) -> Sequence[str]:
        start = 0
        while start < len(words) and words[start] in self._rules["fillers"]:
            start += 1
        rest = words[start:]
        # "Maria, can you ..."
        if len(rest) > 2 and rest[0] in self._names and rest[2] in self._rules["pronouns"]:
            return rest[1:] if self._inverted(rest[1:]) else rest
        return rest

    def _inverted(self, words: Sequence[str]) -> bool:
        if len(words) < 2 or words[0] not in self._rules["auxiliaries"]:
            return False
        verb, subject = words[0], words[1]
        if subject in self._rules["pronouns"]:
            # "Do this", "have that ready" are imperatives.
            return not (
                verb in self._rules["orders"] and subject in ("this", "that", "these", "those")
            )
        if verb in self._rules["orders"]:
            return False
        return (
            subject in self._rules["determiners"]
            or subject in self._names
            or verb in ("is", "are", "does", "did")
        )

    def _asks(self, words: Sequence[str]) -> bool:
        """A question word, its noun group if any, and a verb before its subject."""
        if words[0] not in self._rules["wh"]:
            return False
        if words[1] in self._rules["auxiliaries"]:
            # "When is it" is a question, "when we are" is not.
            return True
        # The subject itself is asked for: "what happens to", "who wants".
        if words[0] == "who" or (words[0] == "what" and words[1] in ("happens", "happened")):
            return True
        if words[0] in ("what", "which", "whose", "how"):
            group = words[1 : 2 + NOUN_GROUP]
            return any(self._inverted(words[1 + at :]) for at in range(1, len(group)))
        return False
