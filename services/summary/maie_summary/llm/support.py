"""Whether an answer says what was said: its items against the lines that they cite.

Words are compared, not meanings. An item that shares no telling word with its
lines is refused, and so is one that is made of the words of a template's
example which the recording lacks. What shares a word and is wrong passes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

import structlog

from maie_summary.check import place_of
from maie_summary.llm.cited import Citation
from maie_summary.llm.example_words import ExampleWords
from maie_summary.llm.lines import Lines
from maie_summary.words import (
    Vocabulary,
    base_language,
    guessed_language,
    is_dense,
    likeliest_language,
    stop_words_of,
    telling_words,
    words_in,
)
from maie_templates import Template

log = structlog.get_logger()

# So many places are named to a model at once; its prompt has room for a few words on them.
MOST_NAMED = 3
# Any two characters that follow each other come together by chance once in a while.
DENSE_SHARED = 2
# An answer in other words of the same language still has this share of its small words.
SAME_LANGUAGE_SHARE = 0.2
# Where no list of a language's stop words is known: words of so many lines say nothing.
COMMON_SHARE = 0.25
LEAST_LINES = 12


class Support:
    """What was said, to compare answers with.

    Args:
        template: The template that is filled.
        lines: All lines of the recording.
        language_code: As a BCP-47 tag; empty where it is not known.
    """

    def __init__(self, template: Template, lines: Lines, language_code: str) -> None:
        self._template = template
        self._lines: dict[int, str] = {}
        for line in lines:  # a long line may come in several pieces
            self._lines[line.number] = f"{self._lines.get(line.number, '')} {line.text}".strip()
        self._language_code = language_code

    def problem(self, citations: Sequence[Citation]) -> str:
        """What is wrong with the items of an answer, or an empty string.

        Names places, never what was said.
        """
        problems = self._problems(citations)
        if problems and self._is_translated(citations):
            problems = self._copies(citations)
        return "; ".join(problems[:MOST_NAMED])

    def _problems(self, citations: Sequence[Citation]) -> list[str]:
        copied = [self._told(each, _COPIED) for each in citations if self._has_taken(each)]
        unsupported = (each for each in citations if not self._is_supported(each))
        return copied or [self._told(each, _UNSUPPORTED) for each in unsupported]

    def _copies(self, citations: Sequence[Citation]) -> list[str]:
        """What is left to find where the words differ: whole texts of an example."""
        return [
            self._told(each, _COPIED)
            for each in citations
            if any(self._examples.is_copied(text, self._all) for text in each.texts)
        ]

    def _has_taken(self, citation: Citation) -> bool:
        return any(self._examples.is_taken(text, self._all) for text in citation.texts)

    def _told(self, citation: Citation, why: str) -> str:
        return f"{place_of(citation.pointer, self._template.schema)} {why}"

    def _is_supported(self, citation: Citation) -> bool:
        text = " ".join(citation.texts)
        cited = Vocabulary(" ".join(self._lines[number] for number in citation.lines))
        telling = {
            word
            for word in telling_words(text, self._language)
            if word not in self._common and not self._asked.has(word)
        }
        if not telling or _only_figures(telling, cited):
            return True
        shared = [word for word in telling if cited.has_like(word)]
        dense = [word for word in telling if is_dense(word)]
        needed = DENSE_SHARED if len(dense) > DENSE_SHARED and len(dense) == len(telling) else 1
        if len(shared) >= needed:
            return True
        words = set(words_in(text))
        return not dense and 2 * len(words & cited.words) >= len(words)

    def _is_translated(self, citations: Sequence[Citation]) -> bool:
        """Whether an answer is in another language than the recording; its words then differ."""
        text = " ".join(text for citation in citations for text in citation.texts)
        words = set(words_in(text))
        if not words:
            return False
        if len(words & self._all.words) >= SAME_LANGUAGE_SHARE * len(words):
            return False
        answered = guessed_language(text, self._spoken)
        if answered == self._spoken:
            return False
        log.info("summary.support_unchecked", spoken=self._spoken, answered=answered)
        return True

    @cached_property
    def _all(self) -> Vocabulary:
        return Vocabulary(" ".join(self._lines.values()))

    @cached_property
    def _language(self) -> str:
        """The language whose small words say nothing."""
        said = " ".join(self._lines.values())
        return base_language(self._language_code) or likeliest_language(said)

    @cached_property
    def _spoken(self) -> str:
        """The language of the recording: as its words say, or else as its transcript does."""
        return guessed_language(" ".join(self._lines.values()), self._language)

    @cached_property
    def _asked(self) -> Vocabulary:
        """What the template is called: "Meeting" says nothing in the notes of a meeting."""
        return Vocabulary(f"{self._template.title} {self._template.description}")

    @cached_property
    def _examples(self) -> ExampleWords:
        return ExampleWords(self._template, self._language)

    @cached_property
    def _common(self) -> frozenset[str]:
        """Words that many lines have, where it is not known which say nothing."""
        if stop_words_of(self._language) or len(self._lines) < LEAST_LINES:
            return frozenset()
        counts = Counter(_distinct_words(self._lines.values()))
        most = COMMON_SHARE * len(self._lines)
        return frozenset(word for word, count in counts.items() if count > most)


_COPIED = "repeats the template's example, which nobody said"
_UNSUPPORTED = "has no word of the lines that it cites"


def _only_figures(telling: Iterable[str], cited: Vocabulary) -> bool:
    """Whether there is nothing but figures, of lines that give theirs as words."""
    return all(word.isdecimal() for word in telling) and not any(
        word.isdecimal() for word in cited.words
    )


def _distinct_words(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield from set(words_in(line))
