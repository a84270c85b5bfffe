"""Markdown: title, warnings, summary with times, transcript, text that was left out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from maie.job.v1 import job_pb2 as job
from maie.summary.v1 import summary_pb2 as summary
from maie_core.durations import seconds
from maie_formats.clean import plain
from maie_formats.summary import Item, Reading, Section, reading
from maie_formats.transcript import clock, groups, lines, paragraph, paragraphs
from maie_formats.warnings import removed_texts, sentences, span

_INLINE = re.compile(r"([\\`*_\[\]<>&|~#])")
# The start of a list, a rule or a heading.
_BLOCK = re.compile(r"^(\d{1,9}(?=[.)])|(?=[-+=]))")

UNREAD = "Somebody speaks here, and no text could be made of it."


def markdown(results: job.JobResults, name: str, template: summary.Template | None = None) -> str:
    """Formats results as a document.

    Args:
        results: The results.
        name: The recording's name, the title if the summary has none.
        template: The template of the summary, for its order.
    """
    view = reading(results.summary, template) if results.HasField("summary") else None
    blocks = [f"# {escape((view and view.title) or name)}"]
    if warnings := sentences(results):
        blocks += ["## Warnings", _bullets(warnings)]
    if view:
        blocks += _summary(view)
    if text := _transcript(results):
        blocks += ["## Transcript", *text]
    if removed := list(removed_texts(results)):
        blocks += ["## Left out of the transcript", _bullets(removed)]
    return "\n\n".join(blocks) + "\n"


def escape(text: str) -> str:
    """Escapes text for Markdown."""
    escaped = _INLINE.sub(r"\\\1", plain(text))
    return _BLOCK.sub(lambda found: f"{found[0]}\\", escaped)


def moments(item: Item) -> str:
    """The times of an item, such as "[00:12] [01:05]"."""
    return " ".join(dict.fromkeys(f"[{clock(moment)}]" for moment in item.moments))


def _transcript(results: job.JobResults) -> list[str]:
    """The paragraphs, with notes where speech has no text."""
    said = [(group[0].start, escape(paragraph(group))) for group in groups(lines(results))]
    unread = [
        (seconds(where.start_offset), f"*{escape(span(where))} {UNREAD}*")
        for where in results.unread
    ]
    whole = [] if said else [(0.0, escape(text)) for text in paragraphs(results)]
    return [text for _, text in sorted(said + whole + unread, key=lambda block: block[0])]


def _bullets(texts: Iterable[str]) -> str:
    return "\n".join(f"- {escape(text)}" for text in texts)


def _summary(view: Reading) -> Iterator[str]:
    for section in view.sections:
        yield f"## {escape(section.title)}"
        yield _items(section)


def _items(section: Section) -> str:
    if not section.is_list:
        return "\n\n".join(map(_item, section.items))
    return "\n".join(f"- {_item(item)}" for item in section.items)


def _item(item: Item) -> str:
    details = "; ".join(f"{escape(label)}: {escape(text)}" for label, text in item.details)
    said = moments(item).replace("[", "\\[").replace("]", "\\]")
    return " ".join(filter(None, (escape(item.text), f"({details})" if details else "", said)))
