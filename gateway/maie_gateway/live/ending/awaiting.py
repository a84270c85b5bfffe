"""A call that waits for the summary of its session, which has ended."""

from __future__ import annotations

import asyncio

import structlog

from maie.live.v1 import live_pb2 as live
from maie_core.errors import StageError
from maie_gateway.live.breaks import go_away, idle, internal, stopping
from maie_gateway.live.ending.summaries import Summaries
from maie_gateway.live.outbox import Outbox
from maie_gateway.live.session import Requests
from maie_gateway.live.settings import LiveSettings

log = structlog.get_logger()


class AwaitedSummary:
    """The rest of a call, after its session: the summary, and what ends the wait for it.

    Args:
        session_id: The session.
        summaries: Waits for its job.
        settings: The settings of live speech.

    Attributes:
        outbox: The events for the client.
    """

    def __init__(self, session_id: str, summaries: Summaries, settings: LiveSettings) -> None:
        self.outbox = Outbox()
        self._session_id = session_id
        self._summaries = summaries
        self._settings = settings

    def drain(self, seconds: float) -> None:
        """Says that the gateway stops, and how long the call is still answered."""
        self.outbox.put(go_away(seconds))

    def stop(self) -> None:
        """Ends the call: another gateway gives the summary."""
        self.outbox.close(stopping())

    async def wait(self) -> None:
        """Gives the summary, once the job is finished."""
        try:
            event = live.TranscribeResponse(summary=await self._summaries.summary(self._session_id))
            event.event_time.GetCurrentTime()
            self.outbox.put(event)
            self.outbox.close()
        except StageError as error:
            log.warning("summary.not_given", reason=error.reason)
            self.outbox.close(error)
        except Exception as error:
            log.error("summary.failed", exc_info=error)
            self.outbox.close(internal())

    async def listen(self, requests: Requests) -> None:
        """Drops what a client still sends, such as a repeated `end`, and ends an idle call.

        A client that has closed its side is not idle; the connection shows whether it is there.
        """
        most = self._settings.idle_seconds
        request: live.TranscribeRequest | None = live.TranscribeRequest()
        while request is not None:
            try:
                async with asyncio.timeout(most):
                    request = await anext(requests, None)
            except TimeoutError:
                self.outbox.close(idle(most))
                return

    async def beat(self) -> None:
        """Shows the client now and then that the gateway is there."""
        while True:
            await asyncio.sleep(self._settings.heartbeat_seconds / 2)
            self.outbox.offer(live.TranscribeResponse(acknowledged=live.Acknowledged()))
