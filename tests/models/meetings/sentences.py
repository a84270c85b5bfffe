"""All that the tiny Qwen3 knows: sentences of meetings, and what notes say about each.

`sentences.tsv` holds those of the tiny Whisper and of `samples/standup.txt`, so that a
recording can go through every stage, and some more.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

TABLE = Path(__file__).with_name("sentences.tsv")

Kind = Literal["chat", "topic", "point", "decision", "action", "question"]


@dataclass(kw_only=True, frozen=True, slots=True)
class Sentence:
    """One sentence that a meeting may hold.

    Attributes:
        text: As it is written.
        kind: What it is for the notes; "chat" is left out of them.
        note: What the notes say: a topic with its article, a decision, a task; else the text.
        owner: Who does a task, where somebody is named.
        due: By when, where that was said.
    """

    text: str
    kind: Kind
    note: str
    owner: str | None = None
    due: str | None = None

    @property
    def words(self) -> str:
        """The sentence as a speech recogniser without punctuation writes it."""
        return spoken(self.text)


def spoken(text: str) -> str:
    """A text without punctuation and casing, words and their order unchanged."""
    return " ".join(re.sub(r"[^\w\s']", " ", text.lower()).split())


def read_sentences() -> tuple[Sentence, ...]:
    """The sentences of the table, in its order."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return tuple(
            Sentence(
                text=row["text"],
                kind=cast(Kind, row["kind"]),
                note=row["note"] or row["text"],
                owner=row["owner"] or None,
                due=row["due"] or None,
            )
            for row in csv.DictReader(file, delimiter="\t")
        )


SENTENCES = read_sentences()
