"""One live track: a call from its config to its last turns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import aclosing
from typing import Any, TypeAlias

from maie.diarization.v1 import streaming_pb2 as streaming
from maie_core.errors import StageError
from maie_core.failures import as_stage_error
from maie_core.samples import samples
from maie_diarization.engine import SAMPLE_RATE, Calibration, Samples, Voice
from maie_diarization.live.conversation import Conversation
from maie_diarization.live.messages import (
    Response,
    known_event,
    progress_event,
    turns_event,
    update_event,
)
from maie_diarization.live.requests import Beginning
from maie_diarization.live.speakers import LiveSpeakers
from maie_diarization.live.windows import Window, Windows
from maie_runtime.background import end
from maie_speech.live.audio import TrackAudio
from maie_speech.live.outbox import Outbox
from maie_speech.live.requests import check_audio, check_silence, out_of_order
from maie_speech.live.stalls import Blame

# Audio after which progress is reported, and the longest time without a report: a caller takes a
# service that says nothing for frozen.
PROGRESS_SAMPLES = SAMPLE_RATE
PROGRESS_SECONDS = 2.0
# What is known is sent again where its speech has grown so much, so seldom in a long track.
GROWTH = 1.5

Request: TypeAlias = streaming.StreamingDiarizeRequest
Requests: TypeAlias = AsyncIterator[streaming.StreamingDiarizeRequest]
Listen: TypeAlias = Callable[[Samples, Blame], Awaitable[Sequence[Voice]]]


class Track:
    """Tells the speakers of one track apart.

    Args:
        beginning: Where it begins, and who is known.
        calibration: What the engine says of its embeddings.
        space: The space of its embeddings.
        listen: Finds the voices in a window; takes whom to blame where it does not return.
    """

    def __init__(
        self, beginning: Beginning, *, calibration: Calibration, space: str, listen: Listen
    ) -> None:
        self._listen = listen
        self._space, self._same_person = space, calibration.same_person
        self._outbox = Outbox[Response]()
        self._audio = TrackAudio(beginning.start)
        self._windows = Windows(beginning.start)
        self._speakers = LiveSpeakers(
            calibration, beginning.known, beginning.next_number, beginning.most
        )
        self._conversation = Conversation(self._speakers, beginning.start)
        self._sent_numbers = {each.number for each in beginning.known}
        self._sent_seconds = sum(each.seconds for each in beginning.known)
        self._reported = self._looked_at = beginning.start
        self._ended = self._stops = False
        # A shutdown, or the wait for audio, may be over while a message is worked on.
        self._lock = asyncio.Lock()

    async def run(self, requests: Requests) -> AsyncGenerator[Response, None]:
        """Yields the track's events. Closing the iteration drops what was not heard yet.

        Args:
            requests: The messages after the config.

        Raises:
            StageError: INVALID_ARGUMENT with STREAM_OUT_OF_ORDER or AUDIO_PART_INVALID; others from
                the engine.
        """
        work = (self._take_all(requests), self._report_on())
        tasks = [asyncio.create_task(self._guard(each)) for each in work]
        try:
            async with aclosing(self._outbox.events()) as events:
                async for event in events:
                    yield event
        finally:
            await end(*tasks)

    async def shut_down(self) -> None:
        """Says who speaks in what was heard, and takes no more audio; the call then ends."""
        async with self._lock:
            if not self._ended and not self._stops:
                self._stops = True
                self._outbox.put(Response(go_away=streaming.StreamingDiarizeGoAway()))
                await self._guard(self._finish())

    def fail(self, error: StageError) -> None:
        """Ends the call after the events so far."""
        self._outbox.finish(error)

    async def _guard(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - the caller gets it as a status
            self._outbox.finish(as_stage_error(error))

    async def _take_all(self, requests: Requests) -> None:
        async for request in requests:
            await self._outbox.room()
            async with self._lock:
                # After a shutdown the caller cannot know yet that nothing is taken.
                if not self._stops:
                    await self._take(request)
        if not self._ended and not self._stops:
            raise out_of_order("The track broke off without `end`; send it last.")

    async def _take(self, request: Request) -> None:
        if self._ended:
            raise out_of_order("A message came after `end`; begin another track for it.")
        match request.WhichOneof("request"):
            case "audio":
                check_audio(request.audio)
                self._audio.append(request.audio)
            case "silence":
                silence = samples(request.silence)
                check_silence(silence)
                self._audio.skip(silence)
            case "end":
                self._ended = True
                await self._finish()
                return
            case _:
                raise out_of_order("The config comes first and once, and no message is empty.")
        await self._hear()
        if self._audio.end - self._reported >= PROGRESS_SAMPLES:
            self._report()

    async def _hear(self) -> None:
        """Listens to all windows that are heard to their ends."""
        while (window := self._windows.whole(self._audio.end)) is not None:
            if window.start >= self._audio.sound_end:
                # However long it is, it is one window.
                window = self._windows.silent(self._audio.end)
            await self._hear_window(window)

    async def _hear_rest(self) -> None:
        """Listens to what is left, shorter than a window."""
        if (window := self._windows.last(self._audio.end)) is not None:
            await self._hear_window(window)

    async def _finish(self) -> None:
        await self._hear_rest()
        self._report()
        self._outbox.finish()

    async def _hear_window(self, window: Window) -> None:
        voices: Sequence[Voice] = ()
        if window.start < self._audio.sound_end:
            sound = self._audio.samples(window.start, window.end)
            # A muted microphone costs nothing.
            voices = await self._listen(sound, self.fail) if sound.any() else ()
        heard = self._conversation.hear(window, voices)
        self._audio.forget(self._windows.needed)
        for merge in heard.merges:
            self._outbox.put(update_event(merge))
        if voices:
            self._send_known()
        self._outbox.put(turns_event(heard.turns, window.settled))

    def _send_known(self) -> None:
        """Sends who is known, where that is news."""
        known = self._speakers.known
        numbers = {each.number for each in known}
        seconds = sum(each.seconds for each in known)
        if numbers != self._sent_numbers or seconds > GROWTH * self._sent_seconds:
            self._sent_numbers, self._sent_seconds = numbers, seconds
            self._outbox.put(
                known_event(known, self._speakers.next_number, self._space, self._same_person)
            )

    async def _report_on(self) -> None:
        while True:
            await asyncio.sleep(PROGRESS_SECONDS)
            self._report()
            if self._audio.end == self._looked_at:
                # A client may send nothing where nobody speaks.
                async with self._lock:
                    if not self._ended and not self._stops:
                        await self._hear_rest()
            self._looked_at = self._audio.end

    def _report(self) -> None:
        self._outbox.offer(progress_event(self._audio.end, self._windows.settled))
        self._reported = self._audio.end
