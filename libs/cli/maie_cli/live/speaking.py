"""Sends sources to a session, each as a track."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

from maie.live.v1 import live_pb2 as live
from maie_cli.live.sources import SAMPLE_BYTES, Source
from maie_client import ClientError, LiveSession
from maie_core.reasons import Reason


class Speaker:
    """Sends the audio of all tracks.

    Args:
        session: Where to send it.
        sources: The sources by track; open.
        formats: The format of each track.
        fast: Whether to send files as fast as they are taken, not in real time.
        await_summary: Whether the session waits for its summary.

    Attributes:
        ending: Whether it ends the session. Without that, somebody else did.
    """

    def __init__(
        self,
        session: LiveSession,
        sources: Mapping[str, Source],
        formats: Mapping[str, live.AudioFormat],
        *,
        fast: bool,
        await_summary: bool = False,
    ) -> None:
        self.ending = False
        self._session = session
        self._sources = sources
        self._formats = formats
        self._fast = fast
        self._await_summary = await_summary
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """Sends no more audio, and ends the session."""
        self._stopped.set()

    async def speak(self) -> None:
        """Sends everything, or until `stop`; then ends the session.

        Raises:
            OSError: A source cannot be read. The session is ended.
            ClientError: The session is over, or cannot go on.
        """
        tracks = [asyncio.create_task(self._track(track)) for track in self._sources]
        stopped = asyncio.create_task(self._stopped.wait())
        sent = asyncio.create_task(asyncio.wait(tracks))
        try:
            # One that fails leaves the others.
            await asyncio.wait({stopped, sent}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (stopped, sent, *tracks):
                task.cancel()
            outcomes = await asyncio.gather(*tracks, return_exceptions=True)
        failures = [each for each in outcomes if isinstance(each, Exception)]
        self.ending = not any(map(_is_over, failures))
        await self._session.end(await_summary=self._await_summary)
        for failure in failures:
            raise failure

    async def _track(self, track: str) -> None:
        source, format_ = self._sources[track], self._formats[track]
        await self._session.join(track, display_name=source.name, format=format_)
        second = format_.sample_rate_hertz * format_.channels * SAMPLE_BYTES
        begun, sent = time.monotonic(), 0.0
        while audio := await source.read():
            await self._session.send(audio, track)
            sent += len(audio) / second
            if not (self._fast or source.paced):
                await asyncio.sleep(begun + sent - time.monotonic())
        await self._session.leave(track)


def _is_over(failure: Exception) -> bool:
    return isinstance(failure, ClientError) and failure.reason == Reason.SESSION_ENDED
