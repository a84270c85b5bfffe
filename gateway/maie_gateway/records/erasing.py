"""Overwrites messages on the broker's disk.

A purge, a limit or an acknowledgement removes a message, but its bytes stay in
the stream's file until the server rewrites the file.
"""

from __future__ import annotations

from maie_runtime.bus.broker import Broker
from maie_runtime.bus.errors import NotFoundError


async def erase(broker: Broker, stream: str, sequence: int) -> None:
    """Overwrites one message. An absent one is no error."""
    try:
        # By default the server overwrites the bytes of a deleted message.
        await broker.jetstream.delete_msg(stream, sequence)
    except NotFoundError:
        return


async def erase_all(
    broker: Broker, stream: str, subject: str, *, before: int | None = None
) -> list[int]:
    """Overwrites the messages of a subject; returns their sequences.

    Args:
        broker: The broker.
        stream: The stream.
        subject: The subject; may hold wildcards.
        before: Only those with a lower sequence.
    """
    erased: list[int] = []
    sequence = 0
    while True:
        try:
            found = await broker.jetstream.get_msg(
                stream, seq=sequence + 1, subject=subject, next=True
            )
        except NotFoundError:
            return erased
        sequence = found.seq or 0
        if before is not None and sequence >= before:
            return erased
        await erase(broker, stream, sequence)
        erased.append(sequence)
