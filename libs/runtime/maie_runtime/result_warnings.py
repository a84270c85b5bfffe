"""What a person should know of a result."""

from __future__ import annotations

from maie.common.v1 import types_pb2 as common
from maie_runtime.reasons import WarningReason


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
