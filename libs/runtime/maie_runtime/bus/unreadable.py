"""Dead letters for what cannot be read: it must not come back for ever, nor vanish unseen."""

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

# Whoever waits for this has others to serve; the log names what is not stored.
GIVE_UP_SECONDS = 2.0


@dataclass(kw_only=True, frozen=True, slots=True)
class Unreadable:
    """What cannot be read, as far as its place tells.

    Attributes:
        kind: What it should be: a stage for a task, or "event", "record" or "webhook".
        job_id: The job that its subject or key names.
        unit: The unit that its subject names; empty where it names none.
        place: Where it is in its stream; names the letter, so that there is one for each.
    """

    kind: str
    job_id: str
    unit: str = ""
    place: int


async def dead_letter(broker: Broker, what: Unreadable) -> None:
    """Stores a dead letter and logs it; where the broker stores nothing, the log alone has it."""
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
            # A key of a bucket may have dots, which would be further tokens.
            subjects.dead_letter(what.kind, what.job_id.replace(".", "_") or "none"),
            letter,
            message_id=f"unreadable/{what.kind}/{what.job_id}/{what.place}",
            give_up_seconds=GIVE_UP_SECONDS,
        )
    except StageError as error:
        log.warning("broker.letter_not_stored", reason=error.reason)
