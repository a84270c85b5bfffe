"""Results as Markdown."""

from __future__ import annotations

import re
from itertools import groupby

from maie.job.v1 import job_pb2 as job
from maie.summary.v1 import summary_pb2 as summary
from maie_formats.clean import plain
from maie_formats.document import Block, Kind, document

_INLINE = re.compile(r"([\\`*_\[\]<>&|~#])")
# The start of a list, a rule or a heading.
_BLOCK = re.compile(r"^(\d{1,9}(?=[.)])|(?=[-+=]))")


def markdown(results: job.JobResults, name: str, template: summary.Template | None = None) -> str:
    """Formats results as a document.

    Args:
        results: The results.
        name: The recording's name, the title if the summary has none.
        template: The template of the summary, for its order.
    """
    blocks = groupby(document(results, name, template), key=lambda block: block.kind is Kind.BULLET)
    parts = [
        ("\n" if in_list else "\n\n").join(map(_formatted, group)) for in_list, group in blocks
    ]
    return "\n\n".join(parts) + "\n"


def escape(text: str) -> str:
    """Escapes text for Markdown."""
    escaped = _INLINE.sub(r"\\\1", plain(text))
    return _BLOCK.sub(lambda found: f"{found[0]}\\", escaped)


def _formatted(block: Block) -> str:
    text = escape(block.text)
    match block.kind:
        case Kind.TITLE:
            return f"# {text}"
        case Kind.HEADING:
            return f"## {text}"
        case Kind.BULLET:
            return f"- {text}"
        case Kind.NOTE:
            return f"*{text}*"
        case Kind.PARAGRAPH:
            return f"**{escape(block.voice)}:** {text}" if block.voice else text
