"""Copies the streams of a mesh that may go on into the folder of a backup."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

from maie_runtime.backup.errors import BackupError
from maie_runtime.backup.files import later_file, snapshot_file
from maie_runtime.backup.later import as_line
from maie_runtime.backup.manifest import CopiedStream
from maie_runtime.backup.order import ORDER
from maie_runtime.backup.tries import tries
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.errors import NotFoundError
from maie_runtime.bus.stream_copy import LaterMessage, later_messages, snapshot_stream

JOBS = subjects.bucket_stream(subjects.JOBS)
REMOVAL = "KV-Operation"


async def copy_streams_out(broker: Broker, folder: Path) -> dict[str, CopiedStream]:
    """Copies all streams; gives them by their names.

    First come the server's snapshots of all, then what was stored in each since, in the order of
    `ORDER`, so that the ends of the copies are close together.

    Raises:
        BackupError: A stream is missing.
        nats.errors.Error, APIError or OSError: As `BROKER_ERRORS`; or the folder cannot be written.
    """
    copied = {name: await _snapshot(broker, name, folder) for name in ORDER}
    for name, stream in copied.items():
        async with aclosing(later_messages(broker, name, stream.last)) as messages:
            copied[name] = await _with_later(stream, messages, folder)
    return copied


async def add_removals(broker: Broker, folder: Path, jobs: CopiedStream) -> CopiedStream:
    """Adds the removals of jobs since their records were copied, whose objects may be missing.

    Raises:
        As `copy_streams_out`.
    """
    async with aclosing(_removals(broker, jobs.last)) as messages:
        return await _with_later(jobs, messages, folder)


async def _snapshot(broker: Broker, name: str, folder: Path) -> CopiedStream:
    try:
        async for tried in tries():
            with tried, (folder / snapshot_file(name)).open("wb") as file:
                taken = await snapshot_stream(broker, name, file.write)
    except NotFoundError:
        raise BackupError(
            f"There is no whole mesh in this broker, since it has no stream {name}; check "
            "MAIE_NATS_URL."
        ) from None
    return CopiedStream(config=taken.config, state=taken.state, later=0, last=taken.last)


async def _with_later(
    stream: CopiedStream, messages: AsyncIterable[LaterMessage], folder: Path
) -> CopiedStream:
    """Appends messages to the file of a stream."""
    with (folder / later_file(stream.name)).open("a", encoding="ascii") as file:
        async for message in messages:
            file.write(as_line(message))
            stream = replace(stream, later=stream.later + 1, last=message.sequence)
    return stream


async def _removals(broker: Broker, after: int) -> AsyncGenerator[LaterMessage, None]:
    """The removals of jobs since, one behind the other: nothing else of that time is needed."""
    place = after
    async with aclosing(later_messages(broker, JOBS, after)) as messages:
        async for message in messages:
            if REMOVAL in message.headers:
                place += 1
                yield replace(message, sequence=place)
