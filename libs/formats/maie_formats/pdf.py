"""Results as a PDF with its fonts in it; needs the extra `pdf`."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.resources import files
from itertools import groupby

import typst

from maie.job.v1 import job_pb2 as job
from maie.summary.v1 import summary_pb2 as summary
from maie_formats.direction import is_right_to_left
from maie_formats.document import Block, Kind, document
from maie_formats.fonts import families, folders
from maie_formats.letters import missing_letters

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)  # the same results give the same bytes
_LANGUAGE = re.compile(r"[a-z]{2,3}(?![a-z])")
# The rest is in the text, where its boxes are.
_MOST_MISSING = 20


def pdf(results: job.JobResults, name: str, template: summary.Template | None = None) -> bytes:
    """Formats results as a PDF, in which letters of any alphabet are shown and can be found.

    Letters that no font has are boxes, and a warning of the document names them.

    Args:
        results: The results.
        name: The recording's name, the title if the summary has none.
        template: The template of the summary, for its order.
    """
    blocks = list(document(results, name, template))
    if missing := missing_letters("".join(block.voice + block.text for block in blocks)):
        blocks = list(document(_with_warning(results, missing), name, template))
    layout = files("maie_formats").joinpath("pdf.typ").read_bytes()
    return typst.compile(
        layout,
        sys_inputs={"document": json.dumps(_data(blocks, results.language_code))},
        font_paths=typst.Fonts(False, False, folders()),
        timestamp=_EPOCH,
    )


def _data(blocks: Sequence[Block], language: str) -> dict[str, object]:
    grouped = groupby(blocks, key=lambda block: (block.kind, is_right_to_left(block.text)))
    known = _LANGUAGE.match(language.lower())
    return {
        "title": next((block.text for block in blocks if block.kind is Kind.TITLE), ""),
        "families": families(language),
        "language": known[0] if known else "en",
        "groups": [
            {
                "kind": kind.value,
                "right_to_left": right_to_left,
                "blocks": [
                    {"kind": block.kind.value, "text": block.text, "voice": block.voice}
                    for block in group
                ],
            }
            for (kind, right_to_left), group in grouped
        ],
    }


def _with_warning(results: job.JobResults, missing: Sequence[str]) -> job.JobResults:
    warned = job.JobResults()
    warned.CopyFrom(results)
    named = ", ".join(f"{letter} (U+{ord(letter):04X})" for letter in missing[:_MOST_MISSING])
    more = f" and {len(missing) - _MOST_MISSING} more" if len(missing) > _MOST_MISSING else ""
    warned.warnings.add(
        message=f"No font of this document has {named}{more}, which are boxes in it; other formats "
        "have them."
    )
    return warned
