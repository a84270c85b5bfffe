"""A summary as text to be read aloud."""

from __future__ import annotations

from maie_formats.summary import Item, Reading

_ENDS = (".", "!", "?", ":", "…")


def aloud(view: Reading) -> str:
    """The text of a summary: a paragraph for the title, for each section's title and statement."""
    paragraphs = [view.title] if view.title else []
    for section in view.sections:
        paragraphs += [section.title, *(_statement(item) for item in section.items)]
    return "\n\n".join(_ended(each) for each in paragraphs if each.strip())


def _statement(item: Item) -> str:
    details = [f"{label}: {text}" for label, text in item.details]
    return " ".join(_ended(part) for part in (item.text, *details))


def _ended(text: str) -> str:
    return text if text.rstrip().endswith(_ENDS) else f"{text}."
