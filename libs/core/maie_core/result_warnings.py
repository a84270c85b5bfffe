"""Warnings about results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from maie.common.v1 import types_pb2 as common
from maie_core.reasons import WarningReason

SUSPECT_TEXT: Final = "SUSPECT_TEXT"
"""Counted like the reason of a warning: a result has text that was probably never spoken."""
COUNTED_REASONS: Final = frozenset({*(reason.value for reason in WarningReason), SUSPECT_TEXT})
"""What is counted of results and recordings."""


def result_warning(
    reason: WarningReason,
    message: str,
    span: common.TimeRange | None = None,
    *,
    metadata: Mapping[str, object] | None = None,
) -> common.Warning:
    """Makes a warning about a result.

    Args:
        reason: The machine-readable reason.
        message: One sentence for a person.
        span: The affected part of the recording; None for all of it.
        metadata: The values in the message, by the names in `Warning.metadata`.
    """
    return common.Warning(
        reason=reason, message=message, range=span, metadata=written(metadata or {})
    )


def written(metadata: Mapping[str, object]) -> dict[str, str]:
    """Values as `Warning.metadata` has them; numbers with six digits."""
    return {
        key: f"{value:.6g}" if isinstance(value, float) else str(value)
        for key, value in metadata.items()
    }


def transcript_reasons(transcript: common.Transcript) -> list[str]:
    """What is counted of a transcript: speech without text, suspect text, text left out."""
    found: list[str] = [WarningReason.UNREAD_SPEECH] if transcript.unread else []
    if transcript.suspect_texts:
        found.append(SUSPECT_TEXT)
    if any(text.removed for text in transcript.suspect_texts):
        found.append(WarningReason.TEXT_REMOVED)
    return found
