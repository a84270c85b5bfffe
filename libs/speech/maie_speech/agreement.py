"""Which part of a text stays, while it is read again and again: LocalAgreement-2. Pure.

The rule is that of Macháček, Dabre and Bojar, "Turning Whisper into Real-Time Transcription System"
(2023): what two readings in a row agree on is stable. Their last word in common is held back, since
the audio may end within it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

# Characters of scripts without spaces between words are units of their own.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_PIECE = re.compile(rf"\s*(?:[{_UNSPACED}]|[^\s{_UNSPACED}]+)")
HELD_BACK = 1
"""Words at the end of an agreement that are not stable yet."""


@dataclass(frozen=True, slots=True)
class PartialText:
    """The text of an utterance so far.

    Attributes:
        stable: The part that stays: later texts begin with it.
        unstable: The rest, with the space before it.
    """

    stable: str
    unstable: str


class StablePrefix:
    """The stable part of one utterance's text."""

    def __init__(self) -> None:
        self._stable: list[str] = []
        self._last: list[str] = []

    def feed(self, text: str) -> PartialText:
        """Takes the next reading of the utterance, of more audio than the one before."""
        pieces = _pieces(text)
        agreed = pieces[: max(0, _common(self._last, pieces) - HELD_BACK)]
        self._last = pieces
        if _common(agreed, self._stable) == len(self._stable):
            self._stable += agreed[len(self._stable) :]
            rest = pieces[len(self._stable) :]
        else:
            rest = pieces[_aligned(self._stable, pieces) :]
        stable = "".join(self._stable)
        unstable = "".join(rest)
        if stable and unstable and not unstable[0].isspace() and rest[0] == pieces[0]:
            # The reading has lost all that is stable, and begins without a space.
            unstable = f" {unstable}"
        return PartialText(stable, unstable)


def _pieces(text: str) -> list[str]:
    """Words, each with the space before it."""
    return _PIECE.findall(text.strip())


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """How many pieces two readings have in common at the beginning."""
    count = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        count += 1
    return count


def _aligned(stable: Sequence[str], pieces: Sequence[str]) -> int:
    """How many pieces at the beginning of a reading stand for what is stable: the closest by edits.

    Of equally close ones, those that are most nearly as many.
    """
    row = list(range(len(pieces) + 1))
    for number, word in enumerate(stable, 1):
        before, row[0] = row[0], number
        for at, piece in enumerate(pieces, 1):
            change = before + (_plain(word) != _plain(piece))
            before, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, change)
    return min(range(len(row)), key=lambda at: (row[at], abs(at - len(stable))))


def _plain(piece: str) -> str:
    """A word without casing and punctuation."""
    return re.sub(r"\W", "", piece).casefold()
