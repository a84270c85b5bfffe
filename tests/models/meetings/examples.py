"""What the tiny Qwen3 is trained on: the services' own prompts, with the right answers."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from maie_enhancement.llm import prompt as enhancement
from maie_llm import Message
from maie_summary.llm import prompt as summary
from maie_templates import TemplateLibrary
from tests.models.meetings.hints import Hint, answer_hints, line_hints, spoken_hints
from tests.models.meetings.meetings import Meeting, compact, random_meeting, random_text
from tests.models.meetings.sentences import spoken

TEMPLATE = "meeting_notes_v1"
# What language codes the pipeline hands on; each makes another prompt.
LANGUAGES = ("", "en", "en-US")
# A text that nothing else holds, in whose place the material is put.
PLACE = "@@material@@"
HIGHEST_FIRST_LINE = 150
# Constant texts are cut into parts of so many characters, at line ends first.
SHORTEST_PART, LONGEST_PART = 9, 120
# How often a meeting begins with line 1, as every recording does.
FROM_THE_START = 0.4


@dataclass(kw_only=True, frozen=True, slots=True)
class Form:
    """A prompt that is the same but for its material.

    Attributes:
        system: The system message; empty where there is none.
        before: What the user's message holds before the material.
        after: And behind it.
    """

    system: str
    before: str
    after: str

    def messages(self, material: str) -> list[dict[str, str]]:
        """The chat with its material."""
        system = [{"role": "system", "content": self.system}] if self.system else []
        return [*system, {"role": "user", "content": self.before + material + self.after}]


@dataclass(kw_only=True, frozen=True, slots=True)
class Example:
    """Material and the right answer, with what a model needs to know of them."""

    material: str
    answer: str
    material_hints: tuple[Hint, ...]
    answer_hints: tuple[Hint, ...] = ()


@dataclass(kw_only=True, slots=True)
class Task:
    """A kind of work.

    Attributes:
        name: What it is called in figures.
        forms: The prompts it may come with.
        size: How large examples are at most: sentences, lines, or lines of each part to be merged.
            Grows while training.
        most: Where that ends.
    """

    name: str
    forms: list[Form]
    size: int = 2
    most: int = 8
    chance: random.Random = field(default_factory=random.Random)

    def draw(self, exactly: int | None = None) -> Example:
        """Draws an example of at most the task's size, or of exactly another."""
        size = exactly or self.chance.randint(1, self.size)
        if self.name == "punctuation":
            text = random_text(self.chance, size)
            hints = tuple(spoken_hints(spoken(text)))
            return Example(material=spoken(text), answer=text, material_hints=hints)
        near = self.chance.random() < FROM_THE_START
        first = 1 if near else self.chance.randint(1, HIGHEST_FIRST_LINE)
        return self._notes(size, first) if self.name == "notes" else self._merge(size, first)

    def _notes(self, lines: int, first: int) -> Example:
        meeting = random_meeting(self.chance, lines, first)
        numbered = summary.numbered(
            summary.Line(number=at, text=text) for at, text in enumerate(meeting.texts(), first)
        )
        return _of_meeting(numbered, meeting, line_hints(numbered))

    def _merge(self, lines: int, first: int) -> Example:
        """The notes on two or three parts of at most as many lines each."""
        sizes = [self.chance.randint(1, lines) for _ in range(self.chance.randint(2, 3))]
        meeting = random_meeting(self.chance, sum(sizes), first)
        parts = "\n".join(part.answer() for part in meeting.parts(sizes))
        return _of_meeting(parts, meeting, answer_hints(parts))


def _of_meeting(material: str, meeting: Meeting, hints: Iterable[Hint]) -> Example:
    answer = meeting.answer()
    return Example(
        material=material,
        answer=answer,
        material_hints=tuple(hints),
        answer_hints=tuple(answer_hints(answer)),
    )


def tasks(seed: int) -> list[Task]:
    """The three tasks, each with luck of its own."""
    return asyncio.run(_tasks(seed))


async def _tasks(seed: int) -> list[Task]:
    template = TemplateLibrary().get(TEMPLATE)
    notes, merge = [], []
    for code in LANGUAGES:
        line = summary.Line(number=1, text=PLACE)
        chat = await summary.messages(template, [line], code)
        notes.append(_form(chat, f"[1] {PLACE}"))
        # A part that is the place, in quotation marks as JSON writes a text.
        chat = await summary.merge_messages(template, [{PLACE: 0}], code)
        merge.append(_form(chat, compact({PLACE: 0})))
    punctuation = [_form(enhancement.messages([PLACE]), PLACE)]
    return [
        Task(name="punctuation", forms=punctuation, chance=random.Random(f"{seed}p"), size=8),
        Task(name="notes", forms=notes, chance=random.Random(f"{seed}n"), size=6, most=12),
        Task(name="merge", forms=merge, chance=random.Random(f"{seed}m"), size=1, most=5),
    ]


def _form(chat: list[Message], place: str) -> Form:
    *system, user = chat
    before, _, after = user.content.partition(place)
    return Form(system=system[0].content if system else "", before=before, after=after)


def constants(every: list[Task]) -> list[str]:
    """The parts of prompts that are always the same, each worth a token of its own."""
    texts = (
        text
        for task in every
        for form in task.forms
        for text in (form.system, form.before, form.after)
    )
    return list(dict.fromkeys(part for text in texts for part in _cut(text)))


def _cut(text: str) -> Iterator[str]:
    for line in text.splitlines(keepends=True):
        parts = re.findall(rf"(?s).{{1,{LONGEST_PART}}}(?!\w)|.", line)
        yield from (part for part in parts if len(part) >= SHORTEST_PART)
