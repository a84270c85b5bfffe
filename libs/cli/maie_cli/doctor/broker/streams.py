"""Checks the streams and consumers of a broker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

from maie_cli.doctor.broker.alike import alike
from maie_cli.doctor.finding import Finding, bad
from maie_pipeline.bindings import BINDINGS
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import BROKER_ERRORS, Broker
from maie_runtime.bus.errors import NotFoundError
from maie_runtime.bus.provision import MAX_ACK_PENDING, differences
from maie_runtime.bus.refusals import RefusedError
from maie_runtime.bus.streams import STREAMS
from maie_runtime.bus.types import DiscardPolicy, StreamConfig, StreamInfo

STREAM, CONSUMER = "streams", "consumers"
PROVISION = "run: maie provision"
UPDATE = "run: maie provision --update"
OTHER_SEED = "set MAIE_NATS_NKEY_FILE to the seed of provision or of gateway"
LEADERLESS = "see that most servers of the cluster run"
COUNTS = ("max_bytes", "max_msgs")
LIMITS = (*COUNTS, "max_msg_size", "max_consumers")


async def streams(broker: Broker, replicas: int) -> AsyncIterator[Finding]:
    """Checks each stream and bucket of a mesh; one finding where nothing is wrong with any.

    Args:
        broker: A connection of `maie provision`, or of a gateway.
        replicas: How many copies each must have.
    """
    found = await asyncio.gather(*(_stream(broker, each, replicas) for each in STREAMS))
    wrong = [
        (stream.name or "", finding)
        for stream, of_it in zip(STREAMS, found, strict=True)
        for finding in of_it
    ]
    for finding in alike(wrong):
        yield finding
    if not wrong:
        copies = "one copy" if replicas == 1 else f"{replicas} current copies"
        yield Finding(what=STREAM, detail=f"all {len(STREAMS)}, each in {copies} or more")


async def consumers(broker: Broker, ack_wait_seconds: float) -> AsyncIterator[Finding]:
    """Checks the consumers of all stages; one finding where nothing is wrong with any."""
    names = [subjects.worker_consumer(slug, lane) for slug in BINDINGS for lane in subjects.LANES]
    found = await asyncio.gather(*(_consumer(broker, each, ack_wait_seconds) for each in names))
    wrong = [pair for pair in zip(names, found, strict=True) if pair[1] is not None]
    for finding in alike((name, each) for name, each in wrong if each is not None):
        yield finding
    if not wrong:
        yield Finding(what=CONSUMER, detail=f"all {len(names)} of the stages")


async def _stream(broker: Broker, wanted: StreamConfig, replicas: int) -> list[Finding]:
    try:
        info = await broker.jetstream.stream_info(wanted.name or "")
    except BROKER_ERRORS as error:
        return [_unseen(STREAM, error)]
    # Without its name, which all that is found alike has in common.
    differing = (str(each).partition(": ")[2] for each in differences(info.config, wanted))
    return [
        *(bad(STREAM, each, UPDATE) for each in differing),
        *_copies(info, replicas),
        *_limits(info.config),
    ]


def _unseen(what: str, error: Exception) -> Finding:
    """Why a stream or a consumer could not be looked at."""
    if isinstance(error, NotFoundError):
        return bad(what, "missing", PROVISION)
    if isinstance(error, RefusedError):
        return bad(what, "this credential may not look at them", OTHER_SEED)
    return bad(what, f"no answer: {str(error) or type(error).__name__}", LEADERLESS)


def _copies(info: StreamInfo, replicas: int) -> Iterator[Finding]:
    there = info.config.num_replicas or 1
    if there < replicas:
        copies = "1 copy" if there == 1 else f"{there} copies"
        mend = f"run: maie provision --replicas {replicas}"
        yield bad(STREAM, f"{copies}, not {replicas}", mend)
    if info.cluster is None:
        return
    if not info.cluster.leader:
        yield bad(STREAM, "no server leads it", LEADERLESS)
        return
    for peer in info.cluster.replicas or ():
        if peer.offline or not peer.current:
            state = "offline" if peer.offline else "not current"
            yield bad(STREAM, f"the copy on {peer.name} is {state}", f"look at {peer.name}")


def _limits(config: StreamConfig) -> Iterator[Finding]:
    drops = config.discard == DiscardPolicy.OLD
    for limit in LIMITS:
        value = getattr(config, limit) or -1
        if value > 0:
            loss = "drops what" if drops and limit in COUNTS else "refuses what"
            detail = f"{limit} is {value}, beyond which NATS {loss} the mesh needs"
            yield bad(STREAM, detail, f"set {limit} to -1")


async def _consumer(broker: Broker, name: str, ack_wait_seconds: float) -> Finding | None:
    try:
        info = await broker.jetstream.consumer_info(subjects.TASKS, name)
    except BROKER_ERRORS as error:
        return _unseen(CONSUMER, error)
    wanted = {"ack_wait": ack_wait_seconds, "max_ack_pending": MAX_ACK_PENDING}
    other = [
        f"{field} is {there}, not {value}"
        for field, value in wanted.items()
        if (there := getattr(info.config, field)) != value
    ]
    if not other:
        return None
    mend = "run maie provision with the mesh's MAIE_ACK_WAIT_SECONDS"
    return bad(CONSUMER, ", ".join(other), mend)
