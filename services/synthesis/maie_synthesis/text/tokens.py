"""What an engine is given: words that can be spoken, and where each comes from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(kw_only=True, frozen=True, slots=True)
class Token:
    """Some of a text, and how it is spoken.

    Attributes:
        start: Where it begins in the text, in Unicode code points.
        end: Where it ends (exclusive).
        words: The words to speak: a to z in lower case, with ' within, one space between.
        pause: The mark that follows, one of , . ? ! or empty.
    """

    start: int
    end: int
    words: str
    pause: str = ""


@dataclass(kw_only=True, frozen=True, slots=True)
class Piece:
    """A sentence, or a part of a long one.

    Attributes:
        start: Where it begins in the text, in Unicode code points.
        end: Where it ends (exclusive).
        tokens: What is spoken, in order.
        left_out: How many letters and digits of other scripts are not spoken.
        symbols: Whether there is anything but white space and punctuation.
        paragraph: Whether it begins a paragraph, or an item of a list.
    """

    start: int
    end: int
    tokens: tuple[Token, ...]
    left_out: int = 0
    symbols: bool = True
    paragraph: bool = False

    @property
    def spoken(self) -> str:
        """The words with the marks of pauses, such as "well, it is ten o'clock."."""
        return " ".join(token.words + token.pause for token in self.tokens)
