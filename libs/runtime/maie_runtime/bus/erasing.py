"""Removes messages one by one, and overwrites them on the broker's disk.

A purge, a limit or an acknowledgement removes a message, but its bytes stay in
the stream's file until the server rewrites the file.

Where a stream has a consumer, a purge of some of its messages does harm: nats-server 2.15 then
forgets others that the consumer was to deliver again. They stay in the stream, and nobody gets
them.
"""

from __future__ import annotations

from maie_runtime.bus.broker import Broker
from maie_runtime.bus.errors import APIError, NotFoundError

# How nats-server says that a message is there no more; the second code has other causes as well.
_NOT_FOUND, _NOT_DELETED = 10043, 10057
_ABSENT = ("no message found", "stream store EOF")


async def erase(broker: Broker, stream: str, sequence: int) -> None:
    """Overwrites one message. An absent one is no error."""
    try:
        # By default the server overwrites the bytes of a deleted message.
        await broker.jetstream.delete_msg(stream, sequence)
    except APIError as error:
        if not _is_absent(error):
            raise


async def erase_all(
    broker: Broker, stream: str, subject: str, *, before: int | None = None
) -> list[int]:
    """Overwrites the messages of a subject, the last one first; returns their sequences.

    Args:
        broker: The broker.
        stream: The stream.
        subject: The subject; may hold wildcards.
        before: Only those with a lower sequence.
    """
    found: list[int] = []
    while True:
        after = found[-1] if found else 0
        try:
            message = await broker.jetstream.get_msg(
                stream, seq=after + 1, subject=subject, next=True
            )
        except NotFoundError:
            break
        sequence = message.seq or 0
        if before is not None and sequence >= before:
            break
        found.append(sequence)
    for sequence in reversed(found):
        await erase(broker, stream, sequence)
    return found


def _is_absent(error: APIError) -> bool:
    return error.err_code == _NOT_FOUND or (
        error.err_code == _NOT_DELETED and error.description in _ABSENT
    )
