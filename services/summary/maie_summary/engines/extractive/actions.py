"""Action items: who does what by when, by cue phrases."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from maie_summary.engines.extractive.dates import split_due

_NAME = r"[A-Z][\w'-]*[a-z](?: (?:and )?[A-Z][\w'-]*[a-z])?"
_GROUP = r"(?:[Tt]he|[Oo]ur|[Yy]our) (?:\w+ ){0,2}?\w+"
_PLANS = (
    r"(?:(?: will| shall|'ll| must|(?: is|'s| are|'re|'m| am) going to| needs? to| ha(?:s|ve) to"
    r"| agreed to| promised to| volunteered to| should)"
    r"(?: also| then| now| please| probably)?)"
)
_STATEMENT = re.compile(
    rf"(?:(?<=^)|(?<=\s))(?P<owner>I|[Ww]e|{_NAME}|{_GROUP})(?P<plan>{_PLANS}) (?=\w)"
)
_REQUEST = re.compile(
    rf"(?:(?P<name>{_NAME}),? )?(?:\b[Cc]an|\b[Cc]ould|\b[Ww]ould|\b[Ww]ill) you (?:please )?(?=\w)"
    rf"|(?:(?P<called>{_NAME}),? )?\b[Pp]lease (?=\w)"
)
_CONJUNCTION = re.compile(r"^(?:and|but|so|then|also|okay|or|well|now)\b,? ", re.IGNORECASE)
_LOOSE_END = re.compile(r"(?:,? (?:and|but|while|or|so|then))?[\s,.;?!]*$", re.IGNORECASE)
# Plurals without an article do not own tasks: "Customers will pay by Friday".
_PLURAL = re.compile(r"[^s]s$")


@dataclass(kw_only=True, frozen=True, slots=True)
class Action:
    """An action item.

    Attributes:
        task: The task.
        owner: The person, as named, or who says "I will"; None if nobody knows.
        due: The due date, as spoken; None without one.
    """

    task: str
    owner: str | None
    due: str | None


class Actions:
    """Finds action items.

    Args:
        cues: The tables of `english.toml`.
    """

    def __init__(self, cues: dict[str, Any]) -> None:
        self._verbs = tuple(cues["actions"]["verbs"])
        self._no_verbs = tuple(cues["actions"]["no_verbs"])
        self._answers = tuple(cues["actions"]["answers"])
        self._no_owners = frozenset(cues["actions"]["no_owners"])

    def find(self, text: str, names: Collection[str] = (), speaker: str = "") -> list[Action]:
        """The action items of a sentence.

        Args:
            text: The sentence.
            names: Words that are names, because they have a
                capital elsewhere in mid-sentence.
            speaker: What people call who says it; empty if nobody knows.
        """
        said = _CONJUNCTION.sub("", text)
        said = said[:1].upper() + said[1:]
        matches = sorted(
            [*_STATEMENT.finditer(said), *_REQUEST.finditer(said)], key=lambda match: match.start()
        )
        ends = [*(match.start() for match in matches[1:]), len(said)]
        found = []
        for match, end in zip(matches, ends, strict=False):
            task, due, deadline = split_due(_LOOSE_END.sub("", said[match.end() : end]))
            owner = self._owner(match, task, due, deadline, names)
            if owner is not None and task:
                task = _LOOSE_END.sub("", task)
                promised = speaker if match.groupdict().get("owner") == "I" else ""
                person = owner or promised or None
                found.append(Action(task=task[:1].upper() + task[1:], owner=person, due=due))
        return found

    def _owner(
        self,
        match: re.Match[str],
        task: str,
        due: str | None,
        deadline: bool,
        names: Collection[str],
    ) -> str | None:
        """The owner, "" if nobody was named, or None if this is no action item."""
        asked = _starts_with(task, self._verbs)
        if "owner" not in match.groupdict() and _starts_with(task, self._answers):
            return None
        if not asked and _starts_with(task, self._no_verbs):
            return None
        groups = match.groupdict()
        if "owner" not in groups:
            name = groups["name"] or groups["called"] or ""
            return (name if self._can_own(name) else "") if asked else None
        owner, plan = groups["owner"], groups["plan"].strip()
        if owner == "I":
            return "" if asked and plan != "should" else None
        if owner.lower() == "we":
            return "" if deadline and plan != "should" else None
        if owner.split()[0].lower() in ("the", "our", "your"):
            return owner if asked and deadline else None
        return owner if self._is_named(owner, match.start(), asked, due, names) else None

    def _is_named(
        self, owner: str, start: int, asked: bool, due: str | None, names: Collection[str]
    ) -> bool:
        if not self._can_own(owner):
            return False
        # Only names have a capital in mid-sentence; at the start, every word has one.
        if start > 0 or owner in names or " " in owner:
            return True
        return (asked or due is not None) and not _PLURAL.search(owner)

    def _can_own(self, owner: str) -> bool:
        return bool(owner) and not {word.lower() for word in owner.split()} & self._no_owners - {
            "and"
        }


def names_in(texts: Iterator[str]) -> frozenset[str]:
    """The words that have a capital in mid-sentence in any of the texts."""
    found = set()
    for text in texts:
        for word in text.split()[1:]:
            bare = word.strip(".,;:?!\"'()").removesuffix("'s")
            if bare[:1].isupper() and bare[1:].islower():
                found.add(bare)
    return frozenset(found)


def _starts_with(task: str, verbs: tuple[str, ...]) -> bool:
    padded = f"{task.lower()} "
    return any(padded.startswith(f"{verb} ") for verb in verbs)
