"""Maps a stage's exceptions to StageError."""

from __future__ import annotations

import structlog

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason

log = structlog.get_logger()

# Engines report it with their own types, some only in the message.
OUT_OF_MEMORY_WORDS = "out of memory"


def as_stage_error(raised: Exception) -> StageError:
    """The error for callers and the conductor; the details are only in the log."""
    if isinstance(raised, StageError):
        return raised
    if isinstance(raised, MemoryError) or OUT_OF_MEMORY_WORDS in str(raised).lower():
        return StageError(
            Code.RESOURCE_EXHAUSTED,
            Reason.OUT_OF_MEMORY,
            "The worker ran out of memory; use shorter chunks or a larger worker.",
        )
    log.error("unit.unexpected_error", exc_info=raised)
    return StageError(
        Code.INTERNAL, Reason.ENGINE_FAILED, "The engine failed; the worker's log has the details."
    )


def over_deadline(seconds: float) -> StageError:
    """The error after the unit's deadline."""
    return StageError(
        Code.DEADLINE_EXCEEDED,
        Reason.UNIT_DEADLINE,
        f"The unit took longer than its deadline of {seconds:g} s.",
    )


def stalled(seconds: float) -> StageError:
    """The error after too long without a heartbeat of the stage."""
    return StageError(
        Code.DEADLINE_EXCEEDED,
        Reason.STALLED,
        f"The engine sent no heartbeat for {seconds:g} s; the worker's log may say why.",
    )


def worker_lost(times: int) -> StageError:
    """The error after too many lost workers."""
    return StageError(
        Code.ABORTED,
        Reason.WORKER_LOST,
        f"The workers that took this unit died or lost contact {times} times; see their logs.",
    )
