"""A gateway's heartbeat, by which all gateways know of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from maie.event.v1 import event_pb2 as event
from maie_gateway.live.sessions import Sessions
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.presence import present
from maie_runtime.bus.rights import GATEWAY
from maie_runtime.gpu.memory import memory_in_use

Errors = Callable[[], event.PartErrors]


def gateway_present(
    broker: Broker, info: event.WorkerInfo, sessions: Sessions, errors: Errors
) -> AbstractAsyncContextManager[None]:
    """Renews the gateway's entry in the bucket of workers as long as the context lasts.

    Args:
        broker: The broker.
        info: The entry, without what changes.
        sessions: The live sessions that have a call here.
        errors: What failed here within the last minutes.
    """
    info.start_time.GetCurrentTime()

    async def memory() -> event.WorkerMemory:
        found = await asyncio.to_thread(memory_in_use)
        return event.WorkerMemory(rss_bytes=found.get("rss_bytes", 0))

    def refresh(entry: event.WorkerInfo) -> bool:
        now = (sessions.count, sessions.tracks, errors())
        changed = (entry.live_sessions, entry.live_tracks_in_use, entry.errors) != now
        entry.live_sessions, entry.live_tracks_in_use = now[:2]
        entry.errors.CopyFrom(now[2])
        return changed

    return present(broker, GATEWAY, info, memory, refresh)
