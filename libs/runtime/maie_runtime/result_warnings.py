"""What a person should know of a result."""

from __future__ import annotations

from typing import Literal

from maie.common.v1 import types_pb2 as common

WarningReason = Literal[
    "CHANNELS_CANCEL",
    "CLIPPING",
    "DAMAGED",
    "GAP",
    "LANGUAGE_NOT_SUMMARIZED",
    "NO_SPEECH",
    "OTHER_TRACKS",
    "TEXT_REMOVED",
    "TRUNCATED",
    "UNREAD_SPEECH",
]
"""The reasons that maie.common.v1.Warning documents."""


def result_warning(
    reason: WarningReason, message: str, span: common.TimeRange | None = None
) -> common.Warning:
    """A warning of a result.

    Args:
        reason: What a program tells it by.
        message: One sentence for a person.
        span: The stretch of the recording that it is about; None for all of it.
    """
    return common.Warning(reason=reason, message=message, range=span)
