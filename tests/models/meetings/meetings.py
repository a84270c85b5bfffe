"""Random meetings of sentences that the tiny Qwen3 knows, with the notes that it writes of them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.models.meetings.sentences import SENTENCES, Kind, Sentence

# How often a line holds a second sentence.
TWO_SENTENCES = 0.15
# The bounds of meeting_notes_v1.
MOST_TOPICS = 8
MOST_POINTS = 12
# How many of the topics the abstract names.
ABSTRACT_TOPICS = 2

Answer = dict[str, Any]


@dataclass(kw_only=True, frozen=True, slots=True)
class Meeting:
    """What was said, line by line.

    Attributes:
        lines: The sentences of each line.
        first: The number of the first line.
    """

    lines: tuple[tuple[Sentence, ...], ...]
    first: int = 1

    def texts(self) -> list[str]:
        """The lines as they are written."""
        return [" ".join(sentence.text for sentence in line) for line in self.lines]

    def cited(self) -> Answer:
        """The notes in the form of meeting_notes_v1 with line numbers, as a model answers."""
        topics = list(self._said("topic"))
        return {
            "title": _title(topics, self.first),
            "abstract": _abstract(topics, self.first),
            "topics": [_item(headline(each.note), at) for at, each in topics][:MOST_TOPICS],
            "key_points": [_item(each.note, at) for at, each in self._said("point")][:MOST_POINTS],
            "decisions": [_item(each.note, at) for at, each in self._said("decision")],
            "action_items": [
                {"task": each.note, "owner": each.owner, "due": each.due, "lines": [at]}
                for at, each in self._said("action")
            ],
            "questions": [_item(each.note, at) for at, each in self._said("question")],
        }

    def answer(self) -> str:
        """The same as the model writes it: JSON without white space."""
        return compact(self.cited())

    def parts(self, sizes: Iterable[int]) -> list[Meeting]:
        """The meeting cut after so many lines each, numbers kept."""
        parts, start = [], 0
        for size in sizes:
            part = self.lines[start : start + size]
            parts.append(Meeting(lines=part, first=self.first + start))
            start += size
        return parts

    def _said(self, kind: Kind) -> Iterator[tuple[int, Sentence]]:
        for at, line in enumerate(self.lines, self.first):
            yield from ((at, sentence) for sentence in line if sentence.kind == kind)


def random_meeting(chance: random.Random, lines: int, first: int = 1) -> Meeting:
    """Draws a meeting in which nothing is said twice.

    Args:
        chance: Where the luck comes from.
        lines: How many lines there are, 1 to 50.
        first: The number of the first line.
    """
    counts = [2 if chance.random() < TWO_SENTENCES else 1 for _ in range(lines)]
    deck = iter(chance.sample(SENTENCES, sum(counts)))
    return Meeting(
        lines=tuple(tuple(next(deck) for _ in range(count)) for count in counts), first=first
    )


def random_text(chance: random.Random, sentences: int) -> str:
    """Draws written sentences, any of them more than once; `spoken` makes words of them."""
    return " ".join(chance.choice(SENTENCES).text for _ in range(sentences))


def compact(answer: Answer) -> str:
    """JSON without white space."""
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":"))


def headline(note: str) -> str:
    """A topic as the list of topics has it: "the budget" is "Budget"."""
    bare = note.removeprefix("the ")
    return bare[0].upper() + bare[1:]


def _item(text: str, *lines: int) -> Answer:
    return {"text": text, "lines": list(lines)}


def _title(topics: list[tuple[int, Sentence]], first: int) -> Answer:
    if not topics:
        return _item("Meeting", first)
    at, topic = topics[0]
    return _item(f"Meeting about {topic.note}", at)


def _abstract(topics: list[tuple[int, Sentence]], first: int) -> Answer:
    if not topics:
        return _item("They talked about several things.", first)
    named = topics[:ABSTRACT_TOPICS]
    text = " and ".join(topic.note for _, topic in named)
    return _item(f"They talked about {text}.", *dict.fromkeys(at for at, _ in named))
