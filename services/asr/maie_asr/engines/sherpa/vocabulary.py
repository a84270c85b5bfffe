"""What a model's vocabulary says about it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

WORD_START = "\u2581"
PUNCTUATION = {".", "?", "。"}
# The greatest byte in pieces of bytes: such a vocabulary writes bytes as letters up to U+01BF.
GREATEST_OF_BYTES = 0xC6


@dataclass(kw_only=True, frozen=True, slots=True)
class Vocabulary:
    """What a model can write.

    Attributes:
        punctuates: Whether it has signs that end a sentence.
        upper_only: Whether it has no small letters.
        lower_only: Whether it has no capital letters.
        of_bytes: Whether its pieces are of bytes, not of characters: they have no words.
    """

    punctuates: bool
    upper_only: bool
    lower_only: bool
    of_bytes: bool


def read_vocabulary(path: Path) -> Vocabulary:
    """Reads a tokens.txt: a piece and its number in each line."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    pieces = [line.split()[0].removeprefix(WORD_START) for line in lines if line.strip()]
    # Signs such as <unk> and <|en|> are not written.
    written = [piece for piece in pieces if not (piece.startswith("<") and piece.endswith(">"))]
    letters = "".join(written)
    return Vocabulary(
        punctuates=not PUNCTUATION.isdisjoint(written),
        upper_only=letters == letters.upper() != letters.lower(),
        lower_only=letters == letters.lower() != letters.upper(),
        of_bytes=max(letters.encode(), default=0) == GREATEST_OF_BYTES,
    )
