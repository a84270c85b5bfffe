"""Finds sentence ends in a stream of words without punctuation.

The hidden-event model of Stolcke and Shriberg ("Automatic linguistic
segmentation of conversational speech", 1996): between any two words a sentence
end either exists or not, and the Viterbi algorithm finds the best combination.
A trigram language model gives the probability of words with and without the
end; pauses and a few cues of spoken language add to its odds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

LogProb = Callable[[str, tuple[str, ...]], float]
"""The natural logarithm of a word's probability after its history, most recent word first."""

IMPOSSIBLE = float("-inf")
# How long ago the last sentence began: at the previous word, the one before, or earlier. A trigram
# sees no further.
STATES = range(3)
# "How many new desks do we need": the most words between a question word and its verb.
QUESTION_WORD_REACH = 4


@dataclass(kw_only=True, frozen=True, slots=True)
class Gap:
    """The pause between two words.

    Attributes:
        pause: The silence in seconds, or None without word times.
        segment_end: Whether the first word ends a segment.
    """

    pause: float | None
    segment_end: bool


class Boundaries:
    """Finds sentence ends by a language model, pauses and cues.

    Args:
        rules: The tables of `english.toml`.
        log_prob: The language model.
    """

    def __init__(self, rules: dict[str, Any], log_prob: LogProb) -> None:
        self._log_prob = log_prob
        self._boundary = rules["boundary"]
        self._pause = rules["pause"]
        self._question = rules["question"]
        self._names = frozenset(rules["casing"]["names"])
        self._days = frozenset(rules["casing"]["days"])
        self._ordinals = frozenset(rules["casing"]["ordinals"])
        self._interjections = frozenset(self._boundary["interjections"])

    def starts(self, words: Sequence[str], gaps: Sequence[Gap]) -> list[int]:
        """The positions of the words that begin a sentence, the first word included.

        Args:
            words: Normalised words, see `punctuate.normalise`.
            gaps: The gap before each word; the first is ignored.
        """
        if not words:
            return []
        scores = [self._log_prob(words[0], ("<s>",)), IMPOSSIBLE, IMPOSSIBLE]
        steps: list[list[int]] = []
        for position in range(1, len(words)):
            scores, came_from = self._step(words, position, gaps[position], scores)
            steps.append(came_from)
        totals = [score + self._end(words, len(words), state) for state, score in enumerate(scores)]
        state = max(STATES, key=totals.__getitem__)
        return [0, *self._trace_back(steps, state)]

    def _step(
        self, words: Sequence[str], position: int, gap: Gap, scores: list[float]
    ) -> tuple[list[float], list[int]]:
        word = words[position]
        start = self._log_prob(word, ("<s>",)) + self._odds(words, position, gap)
        best, came_from = [IMPOSSIBLE] * 3, [0] * 3
        for state, score in enumerate(scores):
            if score == IMPOSSIBLE:
                continue
            end = self._end(words, position, state) + self._interjection(words, position, state)
            go_on = self._log_prob(word, self._history(words, position, state))
            for target, value in ((0, score + end + start), (min(state + 1, 2), score + go_on)):
                if value > best[target]:
                    best[target], came_from[target] = value, state
        return best, came_from

    @staticmethod
    def _trace_back(steps: list[list[int]], state: int) -> list[int]:
        found = []
        for position in range(len(steps), 0, -1):
            if state == 0:
                found.append(position)
            state = steps[position - 1][state]
        return found[::-1]

    @staticmethod
    def _history(words: Sequence[str], position: int, state: int) -> tuple[str, ...]:
        before = "<s>" if state == 0 or position < 2 else words[position - 2]
        return (words[position - 1], before)

    def _end(self, words: Sequence[str], position: int, state: int) -> float:
        return self._log_prob("</s>", self._history(words, position, state))

    def _interjection(self, words: Sequence[str], position: int, state: int) -> float:
        if state == 2:
            return 0.0
        sentence = " ".join(words[position - 1 - state : position])
        if sentence in self._names:
            # "Maria | can you": a name alone is an address.
            return float(self._boundary["never"])
        return float(self._boundary["interjection"]) if sentence in self._interjections else 0.0

    def _odds(self, words: Sequence[str], position: int, gap: Gap) -> float:
        odds = float(self._boundary["prior"])
        if gap.pause is not None:
            pauses, values = zip(*self._pause["odds"], strict=True)
            odds += float(np.interp(gap.pause, pauses, values))
        if gap.segment_end:
            odds += float(self._pause["segment_end"])
        if words[position - 1] in self._boundary["never_last"] or self._in_date(words, position):
            odds += float(self._boundary["never"])
        if self._answered(words, position):
            odds += float(self._boundary["interjection"])
        if self._inverted(words, position):
            odds += float(self._boundary["inversion"])
        return odds

    def _in_date(self, words: Sequence[str], position: int) -> bool:
        """Such as "Monday | the third"."""
        article, ordinal = (*words[position : position + 2], "", "")[:2]
        return words[position - 1] in self._days and article == "the" and ordinal in self._ordinals

    def _answered(self, words: Sequence[str], position: int) -> bool:
        """Such as "yes we are | we decided"."""
        subject, verb, next_subject = ("", "", *words[: position + 1])[-3:]
        return (
            subject in self._boundary["subjects"]
            and verb in self._question["auxiliaries"]
            and next_subject in self._boundary["subjects"]
        )

    def _inverted(self, words: Sequence[str], position: int) -> bool:
        question = self._question
        first, second = (*words[position : position + 2], "", "")[:2]
        if first in question["wh"]:
            return second in question["auxiliaries"]
        before = words[max(position - QUESTION_WORD_REACH, 0) : position]
        return (
            first in question["auxiliaries"]
            and second in self._boundary["subjects"]
            and not any(word in question["wh"] for word in before)
        )
