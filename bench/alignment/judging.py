"""Which planted errors a reading has where they were planted, and what else it has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.alignment.planting import Planted
from maie.alignment.v1 import alignment_pb2 as alignment
from maie_core.durations import seconds

OUTCOMES = {
    alignment.WORD_OUTCOME_WRONG: "wrong",
    alignment.WORD_OUTCOME_SKIPPED: "skipped",
    alignment.WORD_OUTCOME_NOT_REACHED: "skipped",
    alignment.WORD_OUTCOME_INSERTED: "inserted",
    alignment.WORD_OUTCOME_REPEATED: "repeated",
    alignment.WORD_OUTCOME_FILLER: "filler",
}
# What is spoken beside the text may be taken for the word before it or after it.
REACH = 1


@dataclass(frozen=True, slots=True)
class Found:
    """An error that a reading has; its place as in `Planted`."""

    kind: str
    place: int


@dataclass(kw_only=True, slots=True)
class Judged:
    """Errors of some readings, by kind.

    Attributes:
        planted: Those that were planted.
        named: Those of them that were found with their kind.
        noticed: Those of them where any error was found, of whatever kind.
        false: Those that were found and not planted.
        words: The words of the texts.
    """

    planted: Counter[str] = field(default_factory=Counter)
    named: Counter[str] = field(default_factory=Counter)
    noticed: Counter[str] = field(default_factory=Counter)
    false: Counter[str] = field(default_factory=Counter)
    words: int = 0

    def add(self, planted: Sequence[Planted], reading: alignment.Reading) -> None:
        """Counts one more reading."""
        found = errors(reading)
        self.words += sum(word.HasField("text_offset") for word in reading.words)
        left = list(found)
        for each in planted:
            self.planted[each.kind] += 1
            self.noticed[each.kind] += any(_near(other, each.place) for other in found)
            same = [other for other in left if other.kind == each.kind and _near(other, each.place)]
            if same:
                self.named[each.kind] += 1
                left.remove(min(same, key=lambda other: abs(other.place - each.place)))
        self.false.update(each.kind for each in left)

    def recall(self, kind: str) -> float:
        """The share of planted errors that were found with their kind."""
        return self.named[kind] / self.planted[kind]

    def precision(self, kind: str) -> float | None:
        """The share of found errors of a kind that were planted; None where none was found."""
        found = self.named[kind] + self.false[kind]
        return self.named[kind] / found if found else None

    def false_words(self) -> int:
        """The errors of words that were found and not planted; pauses are none."""
        return sum(count for kind, count in self.false.items() if kind != "hesitation")


def errors(reading: alignment.Reading) -> list[Found]:
    """All that departs from the text, in its order."""
    found = []
    starts: list[tuple[float, int]] = []
    place = 0
    for word in reading.words:
        in_text = word.HasField("text_offset")
        if kind := OUTCOMES.get(word.outcome):
            found.append(Found(kind, place))
        if word.HasField("range"):
            starts.append((seconds(word.range.start_offset), place))
        place += in_text
    for pause in reading.pauses:
        if pause.hesitation:
            end = seconds(pause.range.end_offset)
            after = next((at for start, at in starts if start >= end - 0.001), place)
            found.append(Found("hesitation", after))
    return found


def _near(found: Found, place: int) -> bool:
    exact = found.kind in ("wrong", "skipped")
    return abs(found.place - place) <= (0 if exact else REACH)
