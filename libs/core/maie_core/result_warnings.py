"""Warnings about results."""

from __future__ import annotations

from maie.common.v1 import types_pb2 as common
from maie_core.reasons import WarningReason


def result_warning(
    reason: WarningReason, message: str, span: common.TimeRange | None = None
) -> common.Warning:
    """Makes a warning about a result.

    Args:
        reason: The machine-readable reason.
        message: One sentence for a person.
        span: The affected part of the recording; None for all of it.
    """
    return common.Warning(reason=reason, message=message, range=span)
