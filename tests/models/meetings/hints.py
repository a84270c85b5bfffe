"""What a model has to find out on its way to an answer, told to it while it learns.

To keep the order of a meeting, it must know of each sentence which one of its kind came before; to
cite it, its line. Told so by heads of their own, which are thrown away afterwards, a model of a
million weights learns in minutes what it otherwise does not in an hour on one core.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tests.models.meetings.meetings import headline
from tests.models.meetings.sentences import SENTENCES, Sentence

NOTHING = len(SENTENCES)
ITEM = re.compile(r'"(?:text|task)":"([^"]*)"(?:,"owner":[^,]*,"due":[^,]*)?,"lines":\[(\d+)')


@dataclass(kw_only=True, frozen=True, slots=True)
class Hint:
    """What is to be known at the end of a stretch of text; None where nothing is asked.

    Attributes:
        end: Where the stretch ends.
        own: The place in `SENTENCES` of the sentence that is there, or that a number belongs to.
        line: The number of its line.
        alike: The sentence of its kind before it, or NOTHING.
        before: The sentence right before it, or NOTHING.
    """

    end: int
    own: int | None = None
    line: int | None = None
    alike: int | None = None
    before: int | None = None


def spoken_hints(text: str) -> Iterator[Hint]:
    """Hints on spoken words."""
    before = NOTHING
    for match in _finder(is_spoken=True).finditer(text):
        own = _places(is_spoken=True)[match.group()]
        yield Hint(end=match.end(), own=own, before=before)
        before = own


def line_hints(text: str) -> Iterator[Hint]:
    """Hints on numbered lines."""
    last: dict[str, int] = {}
    for line in re.finditer(r"\[(\d+)\] (.*)", text):
        for match in _finder(is_spoken=False).finditer(line.group(2)):
            own = _places(is_spoken=False)[match.group()]
            kind = SENTENCES[own].kind
            yield Hint(
                end=line.start(2) + match.end(),
                own=own,
                line=int(line.group(1)),
                alike=last.get(kind, NOTHING),
            )
            last[kind] = own


def answer_hints(text: str) -> Iterator[Hint]:
    """Hints on answers in JSON, one or several."""
    last: dict[str, int] = {}
    for match in ITEM.finditer(text):
        # Title and abstract are no items.
        if (own := _by_note().get(match.group(1))) is None:
            continue
        kind = SENTENCES[own].kind
        yield Hint(end=match.end(1), own=own, alike=last.get(kind, NOTHING))
        yield Hint(end=match.end(2), own=own, alike=last.get(kind, NOTHING))
        last[kind] = own


def _said(sentence: Sentence, *, is_spoken: bool) -> str:
    return sentence.words if is_spoken else sentence.text


@cache
def _finder(*, is_spoken: bool) -> re.Pattern[str]:
    """Finds sentences, the longest that is there."""
    texts = sorted(_places(is_spoken=is_spoken), key=len, reverse=True)
    return re.compile("|".join(rf"(?<!\w){re.escape(text)}(?!\w)" for text in texts))


@cache
def _places(*, is_spoken: bool) -> dict[str, int]:
    return {_said(each, is_spoken=is_spoken): at for at, each in enumerate(SENTENCES)}


@cache
def _by_note() -> dict[str, int]:
    notes = ((headline(s.note) if s.kind == "topic" else s.note) for s in SENTENCES)
    return {note: at for at, note in enumerate(notes) if SENTENCES[at].kind != "chat"}
