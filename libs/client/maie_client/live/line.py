"""Keeps a session going through broken calls."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import timedelta
from typing import Any

from maie.live.v1 import live_pb2 as live
from maie_client.errors import ClientError
from maie_client.follow import Backoff
from maie_client.live.call import converse
from maie_client.live.errors import (
    GatewaySilentError,
    call_ended,
    is_resumable,
    is_without_place,
    session_ended,
    track_failed,
)
from maie_client.live.gateways import Gateways
from maie_client.live.inbox import Inbox
from maie_client.live.outbox import Outbox
from maie_client.tracing import traced_call

# They come from a gateway that may take the session no further.
_NO_PROGRESS = frozenset({"started", "go_away", "lag", "warning"})


class Line:
    """A session's connection, call after call.

    Args:
        start: The first message of the first call.
        gateways: Where to call.
        outbox: What to send.
        inbox: Where events go.
        patience: How long to try again without progress.

    Attributes:
        started: The first `started`, or the error instead of it.
        trouble: Why there is no call now; empty while there is one.
    """

    def __init__(
        self,
        start: live.StartSession,
        gateways: Gateways,
        outbox: Outbox,
        inbox: Inbox,
        patience: timedelta,
    ) -> None:
        self.started: asyncio.Future[live.SessionStarted] = asyncio.Future()
        self.trouble = ""
        self._start = start
        self._gateways = gateways
        self._outbox = outbox
        self._inbox = inbox
        self._backoff = Backoff(patience)

    @property
    def resume_token(self) -> str:
        """The session's token; a call that resumes is given none."""
        return self._start.resume_token

    @property
    def awaits_summary(self) -> bool:
        """Whether the session goes on, after its end, until its summary."""
        return self._start.await_summary

    def await_summary(self) -> None:
        """Goes on until the summary."""
        self._start.await_summary = True

    @property
    def _is_over(self) -> bool:
        if self._inbox.ended is None:
            # Another process may have seen the end, and waits for the summary here.
            return self._inbox.summary is not None
        return self._inbox.summary is not None or not self.awaits_summary

    async def run(self) -> None:
        """Calls until the session has ended and gave what is waited for, or cannot go on."""
        try:
            await self._go_on()
        except Exception as error:  # noqa: BLE001 # whoever reads or sends gets it
            await self._close(error)
        else:
            await self._close(None)

    async def _go_on(self) -> None:
        refused = 0
        while not self._is_over:
            try:
                await self._call()
            except ClientError as error:
                if not is_resumable(error):
                    raise
                self.trouble = error.message
                if self.started.done():
                    await self._backoff.wait(error)
                elif (refused := refused + 1) == len(self._gateways.addresses):
                    raise

    async def _call(self) -> None:
        """Makes one call; returns after the session's last event."""
        self._start.after_sequence = self._inbox.sequence
        address = self._gateways.next()
        try:
            provider = self._gateways.tracer_provider
            with traced_call(live.TranscribeRequest, address, provider) as trace:
                await self._converse(self._gateways.call(address, trace), address)
        except GatewaySilentError:
            await self._gateways.hang_up(address)
            raise

    async def _converse(self, call: Any, address: str) -> None:
        async with aclosing(converse(call, address, self._start, self._outbox)) as events:
            async for event in events:
                await self._take(event)
                if event.HasField("go_away"):
                    raise call_ended("The gateway stops")
                if self._is_over:
                    return

    async def _take(self, event: live.TranscribeResponse) -> None:
        kind = event.WhichOneof("event")
        if kind == "started":
            self._start.session_id = event.started.session_id
            self._start.resume_token = event.started.resume_token or self._start.resume_token
            self._start.ClearField("config")
            self.trouble = ""
        elif kind not in _NO_PROGRESS:
            self._backoff.reset()
        self._inbox.put(event)
        if kind == "started" and not self.started.done():
            self.started.set_result(event.started)
        if event.warning.track_dropped:
            await self._dropped(event.warning)

    async def _dropped(self, warning: live.SessionWarning) -> None:
        if is_without_place(warning.warning.reason):
            self._outbox.set_aside(warning.track)
        else:
            await self._outbox.give_up(warning.track, track_failed(warning.warning))

    async def _close(self, error: Exception | None) -> None:
        if error is not None and not self.started.done():
            self.started.set_exception(error)
        await self._outbox.close(error or session_ended())
        self._inbox.close(error)
