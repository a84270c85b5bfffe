"""Words as the model learned to read them: sentences with a capital letter and an end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from maie_synthesis.text.tokens import Token

MAX_CHARACTERS: Final = 300
"""The longest text at once, about 20 s: the model loses its way in longer ones. A piece of a text
has up to 280, which are more when its numbers are written out."""
MAX_WORDS: Final = 80
"""The most words at once, which are short in lists of numbers and letters."""
_MARKS: Final = (".", ",", "?", "!")


def written(tokens: Sequence[Token]) -> Iterator[str]:
    """The texts for the model, one after another.

    Args:
        tokens: What is spoken, at least one.
    """
    words: list[str] = []
    for word in _words(tokens):
        if len(words) == MAX_WORDS or len(" ".join([*words, word])) > MAX_CHARACTERS:
            yield _sentence(words, ",")
            words = []
        words.append(word)
    yield _sentence(words, ".")


def _words(tokens: Sequence[Token]) -> Iterator[str]:
    """The words, each with the mark that follows it."""
    for token in tokens:
        *before, last = map(_letter, token.words.split())
        yield from before
        yield last + token.pause


def _letter(word: str) -> str:
    """A word, or the name of a letter as a capital; `a` is an article, and `ay` the letter."""
    if word == "ay":
        return "A"
    return word.upper() if len(word) == 1 and word != "a" else word


def _sentence(words: Sequence[str], mark: str) -> str:
    text = " ".join(words)
    text = text[0].upper() + text[1:]
    return text if text.endswith(_MARKS) else text + mark
