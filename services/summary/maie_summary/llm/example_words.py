"""The words of a template's examples, which an answer may have only where they were said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from maie_summary.words import Vocabulary, telling_words, words_in
from maie_templates import Template

_TOKEN = re.compile(r"[^\W_]+|[.?!:]")
# German writes all nouns with a capital: so many capitals are no sign of names.
MOST_CAPITALS = 0.2
# An answer with so much of an example's words instead of the recording's is copied.
TAKEN_SHARE = 0.5
# Shorter texts may be the same by chance.
COPIED_WORDS = 3


class ExampleWords:
    """Tells what an answer has from its template's examples.

    Args:
        template: The template.
        language_code: The recording's language as a BCP-47 tag; empty where it is not known.
    """

    def __init__(self, template: Template, language_code: str) -> None:
        self._language_code = language_code
        said = [text for example in template.examples for text in example.transcript]
        answered = [text for example in template.examples for text in _texts(example.answer)]
        # What the template asks in its own words may be answered in them.
        own = Vocabulary(f"{' '.join(_texts(template.schema))} {template.prompt}")
        names = _names([*said, *answered])
        # Other words of its answer are how a summary speaks, and not what the other recording says.
        words = {word for text in said for word in telling_words(text, language_code)} | names
        self._words = {word for word in words if not own.has(word)}
        self._names = names & self._words
        self._sayings = {tuple(words_in(text)) for text in (*said, *answered)}

    def is_taken(self, text: str, said: Vocabulary) -> bool:
        """Whether a text has a name or figure of an example, or consists of its words.

        Args:
            text: A text of an answer.
            said: The words of the recording; what it has as well is nobody's own.
        """
        telling = set(telling_words(text, self._language_code))
        taken = {word for word in telling & self._words if not said.has(word)}
        if any(word in self._names or word.isdecimal() for word in taken):
            return True
        return bool(taken) and len(taken) >= TAKEN_SHARE * len(telling)

    def is_copied(self, text: str, said: Vocabulary) -> bool:
        """Whether a text is one of an example's, word for word, and was not said as well."""
        words = tuple(words_in(text))
        return (
            len(words) >= COPIED_WORDS
            and words in self._sayings
            and not all(map(said.has, telling_words(text, self._language_code)))
        )


def _names(texts: list[str]) -> set[str]:
    """The words that have a capital in mid-sentence and never come without."""
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
            starts = token in ".?!:"
    return names - others if capitals <= MOST_CAPITALS * count else set()


def _texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value, names of properties included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, child in value.items():
            yield name.replace("_", " ")
            yield from _texts(child)
    elif isinstance(value, list):
        for child in value:
            yield from _texts(child)
