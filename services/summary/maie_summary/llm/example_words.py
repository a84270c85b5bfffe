"""Finds words of a template's examples in answers, where the recording does not have them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from maie_summary.words import Vocabulary, content_words, words_in
from maie_templates import Template

_TOKEN = re.compile(r"[^\W_]+|[.?!:]")
# German nouns have a capital: more capitals than this are not names.
MOST_CAPITALS = 0.2
# An answer with this share of words only from an example is copied.
TAKEN_SHARE = 0.5
# Shorter texts may be equal by chance.
COPIED_WORDS = 3


class ExampleWords:
    """Detects content that an answer copied from its template's examples.

    Args:
        template: The template.
        language_code: The recording's language as a BCP-47 tag; empty if unknown.
    """

    def __init__(self, template: Template, language_code: str) -> None:
        self._language_code = language_code
        said = [text for example in template.examples for text in example.transcript]
        answered = [text for example in template.examples for text in _texts(example.answer)]
        # An answer may use the words of the template itself.
        own = Vocabulary(f"{' '.join(_texts(template.schema))} {template.prompt}")
        names = _names([*said, *answered])
        # Other words of an example's answer are the style of summaries, not content.
        words = {word for text in said for word in content_words(text, language_code)} | names
        self._words = {word for word in words if not own.has(word)}
        self._names = names & self._words
        self._sayings = {tuple(words_in(text)) for text in (*said, *answered)}

    def is_taken(self, text: str, said: Vocabulary) -> bool:
        """Whether a text has a name or figure of an example, or consists of its words.

        Args:
            text: A text of an answer.
            said: The words of the recording, which an answer may use.
        """
        terms = set(content_words(text, self._language_code))
        taken = {word for word in terms & self._words if not said.has(word)}
        if any(word in self._names or word.isdecimal() for word in taken):
            return True
        return bool(taken) and len(taken) >= TAKEN_SHARE * len(terms)

    def is_copied(self, text: str, said: Vocabulary) -> bool:
        """Whether a text is an example's, verbatim, and not in the recording."""
        words = tuple(words_in(text))
        return (
            len(words) >= COPIED_WORDS
            and words in self._sayings
            and not all(map(said.has, content_words(text, self._language_code)))
        )


def _names(texts: list[str]) -> set[str]:
    """The words that have a capital in mid-sentence and never occur without."""
    names, others, capitals, count = set(), set(), 0, 0
    for text in texts:
        starts = True
        for token in _TOKEN.findall(text):
            if not starts and token[0].isalpha():
                count += 1
                capitals += token[0].isupper()
            if token[0].isupper() and not starts and len(token) > 1:
                names.add(token.casefold())
            elif token[0].islower():
                others.add(token)
            starts = token in ".?!:"  # noqa: S105 - a piece of text
    return names - others if capitals <= MOST_CAPITALS * count else set()


def _texts(value: Any) -> Iterator[str]:
    """All texts in a JSON value, with property names."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, child in value.items():
            yield name.replace("_", " ")
            yield from _texts(child)
    elif isinstance(value, list):
        for child in value:
            yield from _texts(child)
