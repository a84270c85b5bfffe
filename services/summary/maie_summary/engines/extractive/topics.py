"""Finds the topics of a text: its repeated phrases."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from maie_summary.stop_words import ENGLISH_STOP_WORDS
from maie_summary.words import TELLING

_WORD = re.compile(r"[^\W\d_][\w'-]*")
MAX_PHRASE_WORDS = 2
MIN_WORD_CHARS = 3


class Topics:
    """Finds phrases of content words.

    Args:
        cues: The tables of `english.toml`.
    """

    def __init__(self, cues: dict[str, Any]) -> None:
        topics = cues["topics"]
        self._before_nouns = frozenset(topics["before_nouns"])
        self._dull = (ENGLISH_STOP_WORDS - TELLING) | set(topics["dull"])

    def find(self, texts: Iterable[str], names: Collection[str] = ()) -> list[str]:
        """The topics of texts, the most relevant first.

        A phrase is weighted by frequency and length. It must occur more than once,
        at least once as a noun. A phrase that shares a word with a better one
        is left out.

        Args:
            texts: Sentences.
            names: Names of people, which are not topics.
        """
        counts: Counter[str] = Counter()
        nouns: set[str] = set()
        for text in texts:
            found = list(self._phrases(text, names))
            counts.update(dict.fromkeys((phrase for phrase, _ in found), 1))
            nouns.update(phrase for phrase, is_noun in found if is_noun)

        def weight(phrase: str) -> int:
            return counts[phrase] * (1 + phrase.count(" "))

        chosen: list[str] = []
        topics = [phrase for phrase in counts if counts[phrase] > 1 and phrase in nouns]
        # The sort is stable: of equal phrases, the earliest comes first.
        for phrase in sorted(topics, key=weight, reverse=True):
            words = set(phrase.split())
            if not any(words & set(other.split()) for other in chosen):
                chosen.append(phrase)
        return chosen

    def _phrases(self, text: str, names: Collection[str]) -> Iterator[tuple[str, bool]]:
        """Phrases, and whether each is used as a noun: "the water cycle", but not "is heavy".

        A phrase is a noun if it is a whole run of content words, or the last two of it, after
        a word that precedes nouns.
        """
        for clause in re.split(r"[^\w\s'-]+", text):
            run: list[str] = []
            before = ""
            for word in [*_WORD.findall(clause), ""]:
                if self._is_content(word) and word not in names:
                    run.append(word.lower())
                    continue
                for size in range(1, MAX_PHRASE_WORDS + 1):
                    for start in range(len(run) - size + 1):
                        is_end = start + size == len(run) and size in (len(run), MAX_PHRASE_WORDS)
                        is_noun = is_end and before in self._before_nouns
                        yield " ".join(run[start : start + size]), is_noun
                run, before = [], word.lower()

    def _is_content(self, word: str) -> bool:
        return len(word) >= MIN_WORD_CHARS and word.lower() not in self._dull
