"""Checks the items of an answer against the lines that they cite.

It compares words, not meanings. It refuses an item that shares no content word with
its lines, and one that consists of words of a template's example that are not in
the recording. It accepts a wrong item that shares a word.
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
    content_words,
    guessed_language,
    is_dense,
    likeliest_language,
    stop_words_of,
    words_in,
)
from maie_templates import Template

log = structlog.get_logger()

# The most items in one message to a model; its prompt has room for only a few words on each.
MOST_NAMED = 3
# Some bigrams of characters match by chance.
DENSE_SHARED = 2
# A paraphrase in the same language still shares this part of its stop words.
SAME_LANGUAGE_SHARE = 0.2
# Without a list of stop words, words in this many lines count as stop words.
COMMON_SHARE = 0.25
LEAST_LINES = 12


class Support:
    """The lines of a recording, for comparison with answers.

    Args:
        template: The template.
        lines: All lines of the recording.
        language_code: As a BCP-47 tag; empty if unknown.
    """

    def __init__(self, template: Template, lines: Lines, language_code: str) -> None:
        self._template = template
        self._lines: dict[int, str] = {}
        for line in lines:  # a long line may come in several pieces
            self._lines[line.number] = f"{self._lines.get(line.number, '')} {line.text}".strip()
        self._speakers = " ".join({line.speaker: None for line in lines})
        self._language_code = language_code

    def problem(self, citations: Sequence[Citation]) -> str:
        """What is wrong with the items of an answer, or an empty string.

        Names positions, never the text of the recording.
        """
        problems = self._problems(citations)
        if problems and self._is_translated(citations):
            problems = self._copies(citations)
        return "; ".join(problems[:MOST_NAMED])

    def _problems(self, citations: Sequence[Citation]) -> list[str]:
        copied = [self._problem(each, _COPIED) for each in citations if self._has_taken(each)]
        unsupported = (each for each in citations if not self._is_supported(each))
        return copied or [self._problem(each, _UNSUPPORTED) for each in unsupported]

    def _copies(self, citations: Sequence[Citation]) -> list[str]:
        """Whole texts of an example, which can be found even if the languages differ."""
        return [
            self._problem(each, _COPIED)
            for each in citations
            if any(self._examples.is_copied(text, self._all) for text in each.texts)
        ]

    def _has_taken(self, citation: Citation) -> bool:
        return any(self._examples.is_taken(text, self._all) for text in citation.texts)

    def _problem(self, citation: Citation, why: str) -> str:
        return f"{place_of(citation.pointer, self._template.schema)} {why}"

    def _is_supported(self, citation: Citation) -> bool:
        text = " ".join(citation.texts)
        cited = Vocabulary(" ".join(self._lines[number] for number in citation.lines))
        terms = {
            word
            for word in content_words(text, self._language)
            if word not in self._common and not self._asked.has(word)
        }
        if not terms or _only_figures(terms, cited):
            return True
        shared = [word for word in terms if cited.has_like(word)]
        dense = [word for word in terms if is_dense(word)]
        needed = DENSE_SHARED if len(dense) > DENSE_SHARED and len(dense) == len(terms) else 1
        if len(shared) >= needed:
            return True
        words = set(words_in(text))
        return not dense and 2 * len(words & cited.words) >= len(words)

    def _is_translated(self, citations: Sequence[Citation]) -> bool:
        """Whether an answer is in another language than the recording, so that its words differ."""
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
        return Vocabulary(" ".join((self._speakers, *self._lines.values())))

    @cached_property
    def _language(self) -> str:
        """The language of the stop words."""
        said = " ".join(self._lines.values())
        return base_language(self._language_code) or likeliest_language(said)

    @cached_property
    def _spoken(self) -> str:
        """The language of the recording: detected, or else that of its transcript."""
        return guessed_language(" ".join(self._lines.values()), self._language)

    @cached_property
    def _asked(self) -> Vocabulary:
        """The template's name: "Meeting" is no content word in the notes of a meeting.

        Nor are the names of speakers, which lines begin with.
        """
        named = (self._template.title, self._template.description, self._speakers)
        return Vocabulary(" ".join(named))

    @cached_property
    def _examples(self) -> ExampleWords:
        return ExampleWords(self._template, self._language)

    @cached_property
    def _common(self) -> frozenset[str]:
        """Words in many lines, for a language without a list of stop words."""
        if stop_words_of(self._language) or len(self._lines) < LEAST_LINES:
            return frozenset()
        counts = Counter(_distinct_words(self._lines.values()))
        most = COMMON_SHARE * len(self._lines)
        return frozenset(word for word, count in counts.items() if count > most)


_COPIED = "repeats the template's example, which nobody said"
_UNSUPPORTED = "has no word of the lines that it cites"


def _only_figures(terms: Iterable[str], cited: Vocabulary) -> bool:
    """Whether there are only numbers, from lines that have theirs as words."""
    return all(word.isdecimal() for word in terms) and not any(
        word.isdecimal() for word in cited.words
    )


def _distinct_words(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield from set(words_in(line))
