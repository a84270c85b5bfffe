"""Dead letters for unreadable messages, which must neither be redelivered forever nor disappear."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from maie.common.v1 import types_pb2 as common
from maie.event.v1 import event_pb2 as event
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker

log = structlog.get_logger()

# Short, since callers have other messages to handle; the log names a letter that is not stored.
GIVE_UP_SECONDS = 2.0


@dataclass(kw_only=True, frozen=True, slots=True)
class Unreadable:
    """An unreadable message, as far as it is known from its subject or key.

    Attributes:
        kind: What it should be: a stage for a task, or "event", "record", "webhook",
            "session" or "final".
        job_id: The job that its subject or key names.
        unit: The unit that its subject names; empty where it names none.
        place: Its sequence in its stream; part of the letter's id, so that each has one letter.
    """

    kind: str
    job_id: str
    unit: str = ""
    place: int


async def dead_letter(broker: Broker, what: Unreadable) -> None:
    """Stores a dead letter and logs it; if the broker stores nothing, only the log has it."""
    failure = common.Failure(
        code=Code.DATA_LOSS,
        reason=Reason.UNREADABLE,
        message="The message is not what the contract says; look for another program that writes "
        "to the broker.",
        unit=what.unit,
    )
    letter = event.DeadLetter(
        task=event.StageTask(job_id=what.job_id, unit=what.unit), failure=failure
    )
    letter.dead_time.GetCurrentTime()
    log.error("broker.unreadable", kind=what.kind, named_job=what.job_id, place=what.place)
    try:
        await broker.publish(
            # A key of a bucket may have dots, which would separate tokens.
            subjects.dead_letter(what.kind, what.job_id.replace(".", "_") or "none"),
            letter,
            message_id=f"unreadable/{what.kind}/{what.job_id}/{what.place}/{broker.token}",
            give_up_seconds=GIVE_UP_SECONDS,
        )
    except StageError as error:
        log.warning("broker.letter_not_stored", reason=error.reason)
