"""Maps a template's properties to kinds of findings, by name and description."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# The first slot with one of a name's words applies.
SLOTS: dict[str, tuple[str, ...]] = {
    "actions": (
        *("action", "actions", "task", "tasks", "todo", "todos", "commitments", "assignments"),
        *("next steps", "next step", "follow ups", "followups", "follow up", "to dos"),
    ),
    "decisions": ("decision", "decisions", "agreements", "resolutions", "agreed", "decided"),
    "questions": ("question", "questions", "asked", "open issues"),
    "topics": ("topic", "topics", "keywords", "tags", "themes", "subjects", "concepts", "terms"),
    "dates": ("date", "dates", "when", "deadlines", "appointments", "timeline", "schedule"),
    "key_points": (
        *("key points", "points", "highlights", "takeaways", "findings", "notes", "bullets"),
        *("quotes", "statements", "insights", "facts"),
    ),
    "abstract": ("abstract", "summary", "overview", "synopsis", "gist", "tldr", "recap"),
    "title": ("title", "headline", "heading"),
}
# The fields of a finding; others are unknown.
FIELDS: dict[str, tuple[str, ...]] = {
    "owner": ("owner", "assignee", "responsible", "who", "person", "assigned"),
    "due": ("due", "deadline", "when", "date", "by when", "until"),
    "task": ("task", "action", "what", "todo", "item", "title", "description", "text", "step"),
    "speaker": ("speaker", "said by", "quoted", "who said", "speaker name"),
    "event": ("event", "what", "description", "text", "title"),
    "text": (
        *("text", "sentence", "statement", "quote", "content", "description", "point", "summary"),
        *("decision", "question", "topic", "name", "detail", "details", "context", "evidence"),
        *("title", "what", "outcome", "value", "note", "keyword"),
    ),
}
TEXT_SLOTS = ("abstract", "title")


def words_of(name: str) -> str:
    """A property's name as words: "actionItems" is "action items"."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])|[_\-./]+", " ", name)
    return f" {' '.join(spaced.lower().split())} "


def slot_of(name: str, node: Mapping[str, Any]) -> str | None:
    """The slot of a property, or None if it has no slot.

    The name counts first, then the names within the items of a list, then the
    description.
    """
    if found := _first(SLOTS, words_of(name)):
        return found
    items = node.get("items")
    if isinstance(items, dict):
        inner = " ".join(words_of(each) for each in items.get("properties", {}))
        if found := _first({"actions": ("task",), "questions": ("question",)}, inner):
            return found
        if found := _first({"decisions": ("decision",), "topics": ("topic",)}, inner):
            return found
    description = re.sub(r"[^\w]+", " ", str(node.get("description", "")))
    return _first(SLOTS, words_of(description))


def field_of(name: str, fields: Mapping[str, str | None]) -> str | None:
    """The field of a finding for a property of its object, or None."""
    known = {field: words for field, words in FIELDS.items() if field in fields}
    return _first(known, words_of(name))


def _first(table: Mapping[str, tuple[str, ...]], words: str) -> str | None:
    for name, cues in table.items():
        if any(f" {cue} " in words for cue in cues):
            return name
    return None
