"""Markdown: title, summary with its moments, transcript."""

from __future__ import annotations

import re
from collections.abc import Iterator

from maie.job.v1 import job_pb2 as job
from maie.summary.v1 import summary_pb2 as summary
from maie_cli.formats.clean import plain
from maie_cli.formats.summary import Item, Reading, Section, reading
from maie_cli.formats.transcript import paragraphs

_INLINE = re.compile(r"([\\`*_\[\]<>&|~#])")
# What makes a list, a rule or a heading at the start of a line.
_BLOCK = re.compile(r"^(\d{1,9}(?=[.)])|(?=[-+=]))")


def markdown(results: job.JobResults, name: str, template: summary.Template | None = None) -> str:
    """Results as a document.

    Args:
        results: What was made.
        name: The recording's name, the title where the summary has none.
        template: What the summary fills, for its order.
    """
    view = reading(results.summary, template) if results.HasField("summary") else None
    blocks = [f"# {escape((view and view.title) or name)}"]
    if view:
        blocks += _summary(view)
    text = paragraphs(results)
    if text:
        blocks += ["## Transcript", *map(escape, text)]
    return "\n\n".join(blocks) + "\n"


def escape(text: str) -> str:
    """Text that Markdown shows exactly as it is."""
    escaped = _INLINE.sub(r"\\\1", plain(text))
    return _BLOCK.sub(lambda found: f"{found[0]}\\", escaped)


def clock(moment: float) -> str:
    """A moment as mm:ss, or h:mm:ss from an hour on."""
    minutes, second = divmod(int(moment), 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02d}:{second:02d}" if hour else f"{minute:02d}:{second:02d}"


def moments(item: Item) -> str:
    """Where an item was said, such as "[00:12] [01:05]"."""
    return " ".join(dict.fromkeys(f"[{clock(moment)}]" for moment in item.moments))


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
