"""The task that a message of the queue holds, and what its subject says of it."""

from __future__ import annotations

from nats.aio.msg import Msg

from maie.event.v1 import event_pb2 as event
from maie_pipeline.bindings import StageBinding
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.unreadable import Unreadable, dead_letter


def named(message: Msg) -> tuple[str, str]:
    """The job and the unit that a task's subject names; see `subjects.task`."""
    _, _, _, _, job_id, *unit = message.subject.split(".")
    return job_id, ".".join(unit)


def read_task(binding: StageBinding, message: Msg, data: bytes) -> event.StageTask | None:
    """The task; None unless it is of the stage and of the unit that its subject names.

    Args:
        binding: The stage.
        message: The message.
        data: Its payload, opened if it was sealed.

    Raises:
        DecodeError: It cannot be parsed.
    """
    task = event.StageTask.FromString(data)
    is_ours = binding.request_of(task) is not None
    return task if is_ours and (task.job_id, task.unit) == named(message) else None


async def give_up_unreadable(broker: Broker, binding: StageBinding, message: Msg) -> None:
    """Dead-letters an unreadable task. If a unit waits for it, the reconciler sends another.

    Raises:
        StageError: UNAVAILABLE: the broker stores nothing.
        nats.errors.Error: The connection is closed.
    """
    job_id, unit = named(message)
    place = message.metadata.sequence.stream
    await dead_letter(broker, Unreadable(kind=binding.slug, job_id=job_id, unit=unit, place=place))
    await message.term()
