"""Decisions, questions and chatter, by cue phrases."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from importlib.resources import files
from typing import Any


def load_cues() -> dict[str, Any]:
    """The tables of `english.toml`."""
    return tomllib.loads((files(__package__) / "english.toml").read_text(encoding="utf-8"))


def _any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE)


class Cues:
    """Classifies sentences.

    Args:
        cues: The tables of `english.toml`.
    """

    def __init__(self, cues: dict[str, Any]) -> None:
        self._decisions = _any_of(cues["decisions"]["patterns"])
        self._no_decisions = _any_of(cues["decisions"]["except"])
        self._small_talk = _any_of(cues["questions"]["small_talk"])
        self._chatter = _any_of(cues["chatter"]["patterns"])
        self._question_words = int(cues["questions"]["words"])
        self._chatter_words = int(cues["chatter"]["words"])

    def is_decision(self, text: str) -> bool:
        """Whether a sentence states a decision or an agreement."""
        return (
            not text.endswith("?")
            and self._decisions.search(text) is not None
            and self._no_decisions.search(text) is None
        )

    def is_question(self, text: str) -> bool:
        """Whether a sentence is a relevant question."""
        return (
            text.rstrip("\"')").endswith(("?", "？", "؟"))
            and len(text.split()) >= self._question_words
            and self._small_talk.search(text) is None
        )

    def is_chatter(self, text: str) -> bool:
        """Whether a sentence is small talk."""
        return len(text.split()) < self._chatter_words or self._chatter.search(text) is not None
