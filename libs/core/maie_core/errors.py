"""The error type, and the table of its outcomes for every transport."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus

from maie.common.v1 import types_pb2 as common
from maie_core.codes import Code
from maie_core.limit_names import Limit
from maie_core.reasons import Reason

__all__ = ["OUTCOMES", "BusyError", "Code", "Outcome", "Settle", "StageError", "invalid"]


class Settle(enum.Enum):
    """How to settle a task whose unit failed with a code."""

    NAK = "nak"  # returned: the same attempt runs again, here or elsewhere
    RETRY = "ack, then another attempt"  # the conductor decides on the attempt
    GIVE_UP = "term"  # a final failure, never delivered again


@dataclass(kw_only=True, frozen=True, slots=True)
class Outcome:
    """The outcome of one code on each transport."""

    settle: Settle
    http: HTTPStatus


OUTCOMES: dict[Code, Outcome] = {
    # A draining worker returns its unit.
    Code.CANCELLED: Outcome(settle=Settle.NAK, http=HTTPStatus.CONFLICT),
    # Transient: another attempt may help.
    Code.UNKNOWN: Outcome(settle=Settle.RETRY, http=HTTPStatus.INTERNAL_SERVER_ERROR),
    Code.DEADLINE_EXCEEDED: Outcome(settle=Settle.RETRY, http=HTTPStatus.GATEWAY_TIMEOUT),
    Code.ABORTED: Outcome(settle=Settle.RETRY, http=HTTPStatus.CONFLICT),
    Code.INTERNAL: Outcome(settle=Settle.RETRY, http=HTTPStatus.INTERNAL_SERVER_ERROR),
    Code.UNAVAILABLE: Outcome(settle=Settle.RETRY, http=HTTPStatus.SERVICE_UNAVAILABLE),
    # Out of memory: the same unit would exhaust the next worker as well.
    Code.RESOURCE_EXHAUSTED: Outcome(settle=Settle.GIVE_UP, http=HTTPStatus.TOO_MANY_REQUESTS),
    # The input or the configuration is permanently wrong.
    Code.INVALID_ARGUMENT: Outcome(settle=Settle.GIVE_UP, http=HTTPStatus.BAD_REQUEST),
    Code.NOT_FOUND: Outcome(settle=Settle.GIVE_UP, http=HTTPStatus.NOT_FOUND),
    Code.ALREADY_EXISTS: Outcome(settle=Settle.GIVE_UP, http=HTTPStatus.CONFLICT),
    Code.PERMISSION_DENIED: Outcome(settle=Settle.GIVE_UP, http=HTTPStatus.FORBIDDEN),
    Code.FAILED_PRECONDITION: Outcome(settle=Settle.GIVE_UP, http=HTTPStatus.UNPROCESSABLE_ENTITY),
    Code.OUT_OF_RANGE: Outcome(settle=Settle.GIVE_UP, http=HTTPStatus.BAD_REQUEST),
    Code.UNIMPLEMENTED: Outcome(settle=Settle.GIVE_UP, http=HTTPStatus.NOT_IMPLEMENTED),
    Code.DATA_LOSS: Outcome(settle=Settle.GIVE_UP, http=HTTPStatus.INTERNAL_SERVER_ERROR),
    Code.UNAUTHENTICATED: Outcome(settle=Settle.GIVE_UP, http=HTTPStatus.UNAUTHORIZED),
}


class StageError(Exception):
    """A failure that a caller can act on.

    Attributes:
        code: The canonical code.
        reason: The machine-readable cause.
        message: One sentence: what is wrong and what to do next. Contains no
            secrets and no text of a recording, since clients read it.
        retry_after: When to try again, for RESOURCE_EXHAUSTED and UNAVAILABLE.
        field: The invalid request field, such as "config.template_id".
        limit: The limit of callers that was reached.
        offset_bytes: Where to go on with a resumable upload.
    """

    def __init__(
        self,
        code: Code,
        reason: Reason,
        message: str,
        *,
        retry_after: timedelta | None = None,
        field: str = "",
        limit: Limit | None = None,
        offset_bytes: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        # Reasons from other processes must be in the registry as well.
        self.reason = Reason[reason]
        self.message = message
        self.retry_after = retry_after
        self.field = field
        self.limit = limit
        self.offset_bytes = offset_bytes

    @property
    def retryable(self) -> bool:
        """Whether another attempt may help."""
        return OUTCOMES[self.code].settle is not Settle.GIVE_UP

    def to_failure(self, unit: str = "") -> common.Failure:
        """The failure for events and job records."""
        return common.Failure(code=self.code, reason=self.reason, message=self.message, unit=unit)


class BusyError(StageError):
    """The stage has no capacity for this request now, although it has for others.

    A task is redelivered after `retry_after`, without a limit; a direct call fails.
    """

    def __init__(self, message: str, retry_after: timedelta) -> None:
        super().__init__(Code.RESOURCE_EXHAUSTED, Reason.BUSY, message, retry_after=retry_after)
        self.pause_seconds = retry_after.total_seconds()


def invalid(reason: Reason, message: str, *, field: str = "") -> StageError:
    """The error for an invalid request or recording."""
    return StageError(Code.INVALID_ARGUMENT, reason, message, field=field)
