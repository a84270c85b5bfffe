"""Live streams of one recording, spoken at its own pace."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

from maie_cli.exits import Exit
from maie_cli.live.sources import PIECE_SECONDS
from maie_cli.load.hearing import Hearing
from maie_cli.load.recording import Recording
from maie_cli.load.runs import Measure, Run, State, StreamReason, Trouble
from maie_client import Client, LiveOptions, LiveSession

# After the last audio; what is well needs a few.
END_SECONDS = 60.0
END_LATE = Trouble(
    reason=StreamReason.END_LATE,
    message=f"The session did not end within {END_SECONDS:.0f} s after the last audio.",
    code=Exit.FAILED,
)
# A message that leaves so much later than it was spoken makes what comes of it look slow.
LATE_SECONDS = 0.05
SENT_LATE = "messages that this machine sent late"


class Streams:
    """Speaks a recording as a live stream over and over.

    Args:
        client: The connection; open.
        recording: What is spoken.
        options: The options of each session.
    """

    def __init__(self, client: Client, recording: Recording, options: LiveOptions) -> None:
        self._client = client
        self._recording = recording
        self._options = options
        self._stopped: dict[str, asyncio.Event] = {}

    async def do(self, run: Run) -> None:
        """Speaks it once, to the session's end.

        Raises:
            ClientError: The session is refused, or cannot go on.
        """
        called = time.monotonic()
        async with self._client.live(**self._options) as session:
            run.job_id = session.session_id
            run.add_now(Measure.STARTED, time.monotonic() - called)
            stopped = self._stopped[run.job_id] = asyncio.Event()
            hearing = Hearing(run, self._recording)
            speaking = asyncio.create_task(self._speak(session, run, hearing, stopped))
            try:
                async with asyncio.timeout(self._recording.seconds + END_SECONDS):
                    async for event in session:
                        hearing.take(event)
            except TimeoutError:
                run.fail(END_LATE)
            finally:
                speaking.cancel()
                await asyncio.gather(speaking, return_exceptions=True)
                del self._stopped[run.job_id]
                hearing.measure()
        if run.state is State.RUNNING:
            run.state = State.CANCELLED if stopped.is_set() else State.COMPLETE

    async def cancel(self, run: Run) -> bool:
        """Speaks no further, and ends the session; there is none to end before it has started."""
        stopped = self._stopped.get(run.job_id)
        if stopped is not None:
            stopped.set()
        return stopped is not None

    async def _speak(
        self, session: LiveSession, run: Run, hearing: Hearing, stopped: asyncio.Event
    ) -> None:
        """Sends each message when its last sample was spoken, then ends the session."""
        hearing.began = time.monotonic()
        for number, piece in enumerate(self._recording.pieces, start=1):
            due = hearing.began + number * PIECE_SECONDS
            if await _is_set_by(stopped, due):
                break
            run.notices[SENT_LATE] += time.monotonic() - due > LATE_SECONDS
            await session.send(piece)
            run.audio_seconds = number * PIECE_SECONDS
        await session.end()


async def _is_set_by(event: asyncio.Event, moment: float) -> bool:
    """Waits until a moment of the monotonic clock, or until the event is set."""
    if (left := moment - time.monotonic()) > 0:
        with suppress(TimeoutError):
            async with asyncio.timeout(left):
                await event.wait()
    return event.is_set()
