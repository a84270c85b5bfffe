"""Splits a model's answer into segments, by counting words."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from rapidfuzz.distance import Levenshtein, Opcodes

from maie_enhancement.guard import FoundWord, find_words


class AnswerSplitter:
    """Splits a streamed answer into the portions of its prompt.

    As long as the words are the same, a portion is complete when the next one
    begins. After a difference, the rest waits for the end of the answer and is
    aligned with the raw words, so that only portions that differ are lost.

    Args:
        portions: The words of each portion, by `words_of`, none empty.
    """

    def __init__(self, portions: Sequence[Sequence[str]]) -> None:
        self._portions = portions
        self._text = ""
        self._enough = 0
        self._done = 0
        self._drifted = False

    @property
    def done(self) -> int:
        """The number of complete portions."""
        return self._done

    def add(self, text: str) -> list[str]:
        """Adds the next text, and returns the clean texts that it completes."""
        self._text += text
        found: list[str] = []
        while not self._drifted and self._done < len(self._portions) - 1:
            portion = self._portions[self._done]
            if len(self._text) <= self._enough:
                break
            words = find_words(self._text)
            if len(words) <= len(portion):
                # Saves searches: each missing word has at least one character.
                self._enough = len(self._text) + len(portion) - len(words)
                break
            if [word.letters for word in words[: len(portion)]] != list(portion):
                self._drifted = True
                break
            end = _boundary(self._text, words, len(portion))
            found.append(_tidy(self._text[:end]))
            self._text = self._text[end:]
            self._enough = 0
            self._done += 1
        return found

    def finish(self) -> list[str]:
        """Returns the best aligned text for each remaining portion."""
        left = self._portions[self._done :]
        words = find_words(self._text)
        letters = [word.letters for word in words]
        raw = [word for portion in left for word in portion]
        moves = Levenshtein.opcodes(raw, letters)
        found, start, begin = [], 0, 0
        for portion in left:
            end = start + len(portion)
            stop = len(letters) if end == len(raw) else _aligned(end, moves)
            first = _boundary(self._text, words, begin)
            found.append(_tidy(self._text[first : _boundary(self._text, words, stop)]))
            start, begin = end, stop
        self._done = len(self._portions)
        return found


def _aligned(at: int, moves: Opcodes) -> int:
    """The position among the clean words for a position among the raw words."""
    for move in moves:
        if at <= move.src_end:
            return min(move.dest_start + at - move.src_start, move.dest_end)
    return 0


def _boundary(text: str, words: Sequence[FoundWord], at: int) -> int:
    """The position in a text where a word begins, with its opening punctuation."""
    if at == 0:
        return 0
    if at == len(words):
        return len(text)
    start, end = words[at - 1].end, words[at].start
    gap = text[start:end]
    if spaces := [place for place, character in enumerate(gap) if character.isspace()]:
        return start + spaces[-1]
    opening = (place for place, character in enumerate(gap) if _opens(character))
    return start + next(opening, len(gap))


def _opens(character: str) -> bool:
    return unicodedata.category(character) in ("Ps", "Pi")


def _tidy(text: str) -> str:
    return " ".join(text.split())
