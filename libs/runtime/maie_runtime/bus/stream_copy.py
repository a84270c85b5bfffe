"""Copies a stream out of the broker and back: its messages with their sequences, and its consumers.

A snapshot of nats-server (2.15) is not of one instant: it reads the stream's files one after
another, and a message that is replaced meanwhile is in it neither as it was nor as it is. So the
messages that were stored since the snapshot began belong to the copy as well.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from nats.aio.msg import Msg
from nats.js.api import Header, StreamInfo
from nats.js.errors import APIError, NotFoundError

from maie_runtime.bus.broker import REQUEST_TIMEOUT_SECONDS, Broker

API = "$JS.API.STREAM"
CHUNK_BYTES = 128 * 1024
# A server that puts a stream's files together, or reads them, says nothing meanwhile.
CHUNK_SECONDS = 60.0
END_OF_SNAPSHOT = "204"
WRONG_LAST_SEQUENCE = 10071
# A restored message has its place already, whatever it was published on the condition of.
EXPECTATIONS = "Nats-Expected-"
# Which copy a stream was restored from, and whether all of it is there.
COPY, STATE, WHOLE, PARTIAL = "maie-copy", "maie-copy-state", "whole", "partial"
FILLER = "restoring"


class BrokenOffError(APIError):
    """The server did not come to the end of a snapshot, as when it lost a leader meanwhile."""


@dataclass(kw_only=True, frozen=True, slots=True)
class Snapshot:
    """What the server says of a stream at the begin of its snapshot.

    Attributes:
        config: The stream's configuration.
        state: Its state, with `last_seq`.
    """

    config: dict[str, Any]
    state: dict[str, Any]

    @property
    def last(self) -> int:
        """The sequence of its last message."""
        return int(self.state["last_seq"])


@dataclass(kw_only=True, frozen=True, slots=True)
class LaterMessage:
    """A message that was stored after the begin of a snapshot.

    Attributes:
        sequence: Its place in the stream.
        subject: Its subject.
        headers: Its headers.
        data: Its payload.
    """

    sequence: int
    subject: str
    headers: Mapping[str, str]
    data: bytes


@dataclass(kw_only=True, frozen=True, slots=True)
class Restored:
    """A stream that is there before a restore.

    Attributes:
        copy: The copy that it was restored from; empty where it was not restored.
        whole: Whether that restore came to its end.
        messages: How many messages it has.
        last: The sequence of its last message.
    """

    copy: str
    whole: bool
    messages: int
    last: int


def server_version(broker: Broker) -> str:
    """The version of the server, such as 2.15.1."""
    found = broker.client.connected_server_version
    return f"{found.major}.{found.minor}.{found.patch}"


async def snapshot_stream(broker: Broker, name: str, write: Callable[[bytes], object]) -> Snapshot:
    """Has the server write a stream and its durable consumers into one archive.

    Args:
        broker: The connection; it needs the rights of an operator.
        name: The stream.
        write: Called with each piece of the archive.

    Raises:
        BrokenOffError: The archive is not whole.
        nats.errors.Error, APIError or OSError: As `BROKER_ERRORS`.
    """
    client = broker.client
    inbox = client.new_inbox()
    pieces = await client.subscribe(inbox)
    try:
        request = {"deliver_subject": inbox, "chunk_size": CHUNK_BYTES}
        answer = await _ask(broker, f"{API}.SNAPSHOT.{name}", request)
        while (piece := await pieces.next_msg(timeout=CHUNK_SECONDS)).data:
            write(piece.data)
            if piece.reply:
                # The server sends no more than a few megabytes that nobody confirmed.
                await client.publish(piece.reply)
        _check_end(piece)
    finally:
        await pieces.unsubscribe()
    return Snapshot(config=answer["config"], state=answer["state"])


async def later_messages(
    broker: Broker, name: str, after: int
) -> AsyncGenerator[LaterMessage, None]:
    """Yields the messages after a sequence, until there is none.

    A message that is replaced before it is read is followed by the one in its place, so whatever
    the stream has at the end was read.

    Raises:
        As `snapshot_stream`.
    """
    while True:
        try:
            found = await broker.jetstream.get_msg(name, seq=after + 1, subject=">", next=True)
        except NotFoundError:
            return
        after = found.seq or 0
        yield LaterMessage(
            sequence=after,
            subject=found.subject or "",
            headers=dict(found.headers or {}),
            data=found.data or b"",
        )


async def restored(broker: Broker, name: str) -> Restored | None:
    """What is there of a stream before a restore; None where there is no such stream.

    Raises:
        As `snapshot_stream`.
    """
    try:
        info = await _info(broker, name)
    except NotFoundError:
        return None
    marks = info.config.metadata or {}
    return Restored(
        copy=marks.get(COPY, ""),
        whole=marks.get(STATE) == WHOLE,
        messages=info.state.messages,
        last=info.state.last_seq,
    )


async def restore_stream(
    broker: Broker,
    snapshot: Snapshot,
    copy: str,
    pieces: Iterable[bytes],
    later: AsyncIterable[LaterMessage],
) -> int:
    """Makes a stream of a copy again; there may be none of its name.

    Args:
        broker: The connection; it needs the rights of an operator.
        snapshot: What the server said of it.
        copy: Which copy it is; the stream is marked with it.
        pieces: The archive.
        later: The messages since, by their sequence.

    Returns:
        The sequence of its last message.

    Raises:
        nats.errors.Error, APIError or OSError: As `BROKER_ERRORS`.
    """
    name = snapshot.config["name"]
    marked = {**(snapshot.config.get("metadata") or {}), COPY: copy, STATE: PARTIAL}
    request = {"config": {**snapshot.config, "metadata": marked}, "state": snapshot.state}
    where = (await _ask(broker, f"{API}.RESTORE.{name}", request))["deliver_subject"]
    for piece in pieces:
        answer = await broker.client.request(where, piece, timeout=CHUNK_SECONDS)
        if answer.data:
            raise APIError.from_error(json.loads(answer.data)["error"])
    _checked(await broker.client.request(where, b"", timeout=CHUNK_SECONDS))
    # In a cluster, its servers elect a leader first.
    there = (await _info(broker, name)).config
    last = await _append(broker, snapshot, later)
    whole = there.evolve(metadata={**marked, STATE: WHOLE})
    await broker.jetstream.update_stream(whole)
    return last


async def _append(broker: Broker, snapshot: Snapshot, later: AsyncIterable[LaterMessage]) -> int:
    """Stores the later messages, each at its own place; returns the last one's."""
    name, filler = snapshot.config["name"], _filler(snapshot.config)
    last, fillers = snapshot.last, list[int]()
    async for message in later:
        while last + 1 < message.sequence:
            last = await _store(broker, name, filler, b"", {}, last + 1)
            fillers.append(last)
        headers = {
            name: value
            for name, value in message.headers.items()
            if not name.startswith(EXPECTATIONS)
        }
        last = await _store(broker, name, message.subject, message.data, headers, message.sequence)
    if fillers and not snapshot.config.get("deny_purge"):
        await broker.jetstream.purge_stream(name, subject=filler)
    else:
        for sequence in fillers:
            await broker.jetstream.delete_msg(name, sequence)
    return last


async def _store(
    broker: Broker, stream: str, subject: str, data: bytes, headers: Mapping[str, str], place: int
) -> int:
    """Publishes a message that has to come to a certain place of its stream."""
    expected = {str(Header.EXPECTED_LAST_SEQUENCE): str(place - 1)}
    tries = 0

    async def publish() -> int:
        nonlocal tries
        tries += 1
        try:
            stored = await broker.jetstream.publish_once(
                subject, data, headers={**headers, **expected}
            )
        except APIError as error:
            # Nobody else writes: an earlier try was stored, whose answer was lost.
            if tries > 1 and error.err_code == WRONG_LAST_SEQUENCE:
                return (await _info(broker, stream)).state.last_seq
            raise
        return stored.seq

    if (found := await broker.client.ride_out(publish)) != place:
        raise APIError(code=500, description=f"{subject} was stored at {found}, not {place}")
    return place


async def _info(broker: Broker, name: str) -> StreamInfo:
    return await broker.jetstream.stream_info(name)


def _filler(config: Mapping[str, Any]) -> str:
    """A subject of a stream that nothing else uses."""
    return str(config["subjects"][0]).replace("*", FILLER).replace(">", FILLER)


async def _ask(broker: Broker, subject: str, request: Mapping[str, Any]) -> dict[str, Any]:
    payload = json.dumps(request).encode()
    async with asyncio.timeout(CHUNK_SECONDS):
        return _checked(
            await broker.client.request(subject, payload, timeout=REQUEST_TIMEOUT_SECONDS)
        )


def _checked(answer: Msg) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer.data)
    if "error" in found:
        raise APIError.from_error(found["error"])
    return found


def _check_end(end: Msg) -> None:
    status = (end.headers or {}).get(Header.STATUS, END_OF_SNAPSHOT)
    if status != END_OF_SNAPSHOT:
        description = (end.headers or {}).get(Header.DESCRIPTION, "The snapshot was broken off.")
        raise BrokenOffError(code=int(status), description=description)
