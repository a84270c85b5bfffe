"""Stores a track's audio before it counts as durable."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

import structlog

from maie.common.v1 import types_pb2 as common
from maie.live.v1 import session_pb2 as session
from maie_core.errors import Code, StageError, invalid
from maie_core.reasons import Reason
from maie_core.samples import SAMPLE_BYTES, SAMPLE_NANOSECONDS, duration
from maie_gateway.live.kept.parts import MOST_SAMPLES, MOST_SECONDS
from maie_gateway.live.ledger import Ledger
from maie_gateway.live.marks import Mark, to_message
from maie_gateway.live.recognition.backlog import Backlog, Item
from maie_gateway.live.state import SessionState
from maie_runtime import folders
from maie_runtime.blobs import RETRY_AFTER, Blobs
from maie_runtime.failpoints import failpoint

log = structlog.get_logger()

PAUSE_SECONDS = 0.5


class AudioKeeper:
    """Stores the audio of one track, or a channel of it, and then that it is durable.

    It works beside recognition: finals do not wait for the object store. While that does not
    answer, no audio is acknowledged.

    Args:
        blobs: Takes the audio.
        ledger: The session's log.
        backlog: The audio that is not durable yet.
        channel: The channel, from 1; 0 for the mix of all.
        patience_seconds: How long to try while the object store does not answer.
        stored: Called when more is durable.
    """

    def __init__(
        self,
        *,
        blobs: Blobs,
        ledger: Ledger,
        backlog: Backlog,
        channel: int,
        patience_seconds: float,
        stored: Callable[[], None],
    ) -> None:
        self._blobs = blobs
        self._ledger = ledger
        self._backlog = backlog
        self._channel = channel
        self._patience_seconds = patience_seconds
        self._stored = stored
        self._settled = 0
        self._closed = False
        self._news = asyncio.Event()

    def settle(self, settled: int) -> None:
        """Says that nothing before a place can still become a final, in samples of the track."""
        self._settled = max(self._settled, settled)
        self._news.set()

    def close(self, settled: int) -> None:
        """Says that the track is recognised up to a place; `run` returns once that is durable."""
        self._closed = True
        self.settle(settled)

    async def run(self, number: int) -> None:
        """Stores audio until it is closed.

        Args:
            number: The track's number.

        Raises:
            StageError: UNAVAILABLE with BLOB_STORE_UNAVAILABLE or BLOB_STORE_FULL,
                INVALID_ARGUMENT with AUDIO_TOO_LONG, or as `Ledger.commit`.
        """
        is_last = False
        while not is_last:
            await self._news.wait()
            self._news.clear()
            is_last = self._closed
            await self._keep(number, self._settled)

    async def _keep(self, number: int, settled: int) -> None:
        """Stores the audio of the messages that end before a place, and that they are durable."""
        reached = self._backlog.next_mark(settled, 0)
        if reached == self._backlog.mark:
            return
        items = list(self._backlog.until(reached))
        self._check_length(number, reached)
        audio = await self._store(number, items)
        await failpoint("session.after_part")

        def kept(state: SessionState) -> session.SessionEntry:
            # A final may have come in between.
            stored = state.track(number).mark_of(self._channel)
            mark = reached.with_finals(stored.settled, stored.next_utterance)
            message = to_message(mark, number, self._channel)
            if audio is not None:
                message.audio.CopyFrom(audio)
            return session.SessionEntry(settled=session.TracksSettled(marks=[message]))

        await self._ledger.commit(kept)
        self._backlog.settle(self._ledger.state.track(number).mark_of(self._channel))
        self._stored()

    def _check_length(self, number: int, reached: Mark) -> None:
        offset = self._ledger.state.track(number).offset // SAMPLE_NANOSECONDS
        if offset + reached.position > MOST_SAMPLES:
            raise invalid(
                Reason.AUDIO_TOO_LONG,
                f"A session whose audio is kept lasts {MOST_SECONDS // 3600} h at most; begin a "
                "new session.",
            )

    async def _store(self, number: int, items: Iterable[Item]) -> common.Blob | None:
        """Stores the audio of messages; None where they are silence alone."""
        part = session.AudioPart(runs=_runs(items))
        if not part.runs:
            return None
        of_channel = f"-c{self._channel}" if self._channel else ""
        folder = folders.of_live(self._ledger.state.session_id)
        prefix = f"{folder}/t{number:02d}{of_channel}"
        last: StageError | None = None
        try:
            async with asyncio.timeout(self._patience_seconds):
                while True:
                    try:
                        return await self._blobs.put_message(prefix, part)
                    except StageError as error:
                        last = error
                        log.warning("live.audio_not_stored", reason=error.reason)
                    await asyncio.sleep(PAUSE_SECONDS)
        except TimeoutError:
            raise last or _no_answer() from None


def _no_answer() -> StageError:
    return StageError(
        Code.UNAVAILABLE,
        Reason.BLOB_STORE_UNAVAILABLE,
        "The object store does not answer; check MAIE_BLOB_URL and the store itself.",
        retry_after=RETRY_AFTER,
    )


def _runs(items: Iterable[Item]) -> list[session.AudioRun]:
    """The audio of messages, without silence."""
    runs: list[tuple[int, bytearray]] = []
    end = -1
    for item in items:
        if not item.pcm:
            continue
        if item.begin != end:
            runs.append((item.begin, bytearray()))
        runs[-1][1].extend(item.pcm)
        end = item.begin + len(item.pcm) // SAMPLE_BYTES
    return [
        session.AudioRun(start_offset=duration(begin), samples=bytes(pcm)) for begin, pcm in runs
    ]
