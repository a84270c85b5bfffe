"""Words with times, from the tokens of a model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from typing import TypeVar

T = TypeVar("T")
# Scripts without spaces between words: each character is a word.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\s{_UNSPACED}]+")
# A byte of a character that the vocabulary lacks.
_BYTE = re.compile(r"<0x([0-9A-F]{2})>")
# Decoders say when a token begins. It rarely lasts longer than this.
MAX_TOKEN_SECONDS = 0.4


@dataclass(kw_only=True, frozen=True, slots=True)
class Tokens:
    """What a decoder gives.

    Attributes:
        texts: The pieces of the text, in order.
        starts: Where each begins, in seconds from the audio's start.
        durations: How long each lasts, in seconds; empty where the model does not say.
        log_probabilities: The logarithm of each one's probability; empty likewise.
    """

    texts: Sequence[str]
    starts: Sequence[float]
    durations: Sequence[float] = ()
    log_probabilities: Sequence[float] = ()

    def only(self, indices: Sequence[int]) -> Tokens:
        """Some of the tokens; a list that does not have one of each is left as it is."""

        def chosen(values: Sequence[T]) -> Sequence[T]:
            if len(values) != len(self.texts):
                return values
            return [values[each] for each in indices]

        return Tokens(
            texts=chosen(self.texts),
            starts=chosen(self.starts),
            durations=chosen(self.durations),
            log_probabilities=chosen(self.log_probabilities),
        )


@dataclass(kw_only=True, frozen=True, slots=True)
class PlacedWord:
    """A word of a text.

    Attributes:
        first: Its first character in the text.
        last: The character after its last one.
        start: Where it begins, in seconds from the audio's start.
        end: Where it ends.
        confidence: The geometric mean of its tokens' probabilities; None where they have none.
    """

    first: int
    last: int
    start: float
    end: float
    confidence: float | None


def place_words(text: str, tokens: Tokens, seconds: float) -> list[PlacedWord]:
    """Finds the words of a text in its tokens.

    Args:
        text: The text.
        tokens: Its tokens. The text may have other spaces than they have, and lack what is around
            it: the library leaves out a sign at the beginning.
        seconds: The length of the audio; no word ends later.

    Returns:
        The words in order; none where the tokens are not those of the text, or have no times.
    """
    owners = _owners(text, tokens)
    if not owners:
        return []
    ends = _ends(tokens, seconds)
    words, used = [], 0
    for match in _WORD.finditer(text):
        count = len(match[0].encode())
        mine = owners[used : used + count]
        used += count
        start = min(tokens.starts[mine[0]], seconds)
        words.append(
            PlacedWord(
                first=match.start(),
                last=match.end(),
                start=start,
                end=max(start, ends[mine[-1]]),
                confidence=_confidence(tokens, sorted(set(mine))),
            )
        )
    return words


def _owners(text: str, tokens: Tokens) -> list[int]:
    """The token of each byte of a text without spaces; none where they differ."""
    if len(tokens.starts) != len(tokens.texts):
        return []
    found = bytearray()
    owners: list[int] = []
    for index, piece in enumerate(tokens.texts):
        byte = _BYTE.fullmatch(piece)
        content = bytes.fromhex(byte[1]) if byte else "".join(piece.split()).encode()
        found += content
        owners += [index] * len(content)
    wanted = "".join(text.split()).encode()
    place = found.find(wanted)
    return owners[place : place + len(wanted)] if place >= 0 else []


def _ends(tokens: Tokens, seconds: float) -> list[float]:
    """Where each token ends: not after the next one begins."""
    following = [*tokens.starts[1:], seconds]
    lasting = tokens.durations or [MAX_TOKEN_SECONDS] * len(tokens.starts)
    return [
        min(start + duration, max(start, after), seconds)
        for start, duration, after in zip(tokens.starts, lasting, following, strict=True)
    ]


def _confidence(tokens: Tokens, indices: Sequence[int]) -> float | None:
    if len(tokens.log_probabilities) != len(tokens.texts):
        return None
    mean = sum(tokens.log_probabilities[each] for each in indices) / len(indices)
    return min(1.0, exp(mean))
