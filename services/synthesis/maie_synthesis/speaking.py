"""Speaks a text sentence by sentence, in memory that does not grow with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import structlog

from maie.speech.v1 import speech_pb2 as speech
from maie_core.durations import duration
from maie_core.errors import Code, StageError, invalid
from maie_core.reasons import Reason
from maie_runtime.worker.engine_calls import engine_call
from maie_runtime.worker.stage import ignore_heartbeat
from maie_synthesis.audio import Encoder
from maie_synthesis.engine import Engine, SpokenPiece, UnspeakableError
from maie_synthesis.text.normaliser import pieces
from maie_synthesis.text.tokens import Piece

log = structlog.get_logger()

MAX_CONTENT_BYTES = 64 * 1024
MAX_REPORTED = 100
PARAGRAPH_SECONDS = 0.4

ResultT = TypeVar("ResultT")


class Speaker:
    """Speaks one text.

    Args:
        engine: The engine.
        executor: Where text is read and audio is encoded.
        voice: One of the engine's voices.
        speed: The pace, 0.25 to 4.
        audio_format: An AudioFormat.
        heartbeat: Called before each piece, of which many in turn may not be spoken.
    """

    def __init__(
        self,
        engine: Engine,
        executor: ThreadPoolExecutor,
        *,
        voice: str,
        speed: float,
        audio_format: int,
        heartbeat: Callable[[], None] = ignore_heartbeat,
    ) -> None:
        self._heartbeat = heartbeat
        self._engine = engine
        self._executor = executor
        self._voice = voice
        self._speed = speed
        self._format = audio_format
        self._unspoken: list[speech.UnspokenSentence] = []
        self._unspoken_count = 0
        self._spoken_count = 0
        self._failures = 0

    async def speak(self, text: str) -> AsyncGenerator[speech.SynthesizeResponse, None]:
        """Yields the audio, and at last the result.

        Raises:
            StageError: INVALID_ARGUMENT with TEXT_NOT_SPEAKABLE where nothing can be spoken, or
                INTERNAL with ENGINE_FAILED where the engine spoke nothing of it.
        """
        source = pieces(text)
        encoder = Encoder(self._format)
        try:
            while (piece := await self._next(source)) is not None:
                self._heartbeat()
                spoken = await self._spoken(piece)
                if spoken is None:
                    continue
                begin = piece.paragraph and self._spoken_count > 0
                encode = partial(_encoded, encoder, spoken, pause=begin)
                start, content = await self._run(encode)
                self._spoken_count += 1
                for response in _messages(content, _marks(piece, spoken, start)):
                    yield response
            if not self._spoken_count:
                raise self._nothing()
            for response in _messages(await self._run(encoder.finish), []):
                yield response
            yield speech.SynthesizeResponse(result=self._result(encoder.seconds))
        finally:
            # A call that is cancelled leaves a thread that still encodes.
            self._executor.submit(encoder.close)

    async def _next(self, source: Iterator[Piece]) -> Piece | None:
        """The next piece with something to speak."""
        while (piece := await self._run(partial(next, source, None))) is not None:
            if piece.left_out:
                message = f"{piece.left_out} letters and digits of other scripts were left out."
                self._report(piece, speech.UNSPOKEN_REASON_LEFT_OUT, message)
            elif not piece.tokens and piece.symbols:
                message = "It has nothing that the voice can speak."
                self._report(piece, speech.UNSPOKEN_REASON_NOTHING_TO_SPEAK, message)
            if piece.tokens:
                return piece
        return None

    async def _spoken(self, piece: Piece) -> SpokenPiece | None:
        """A piece as speech; None where the engine could not, which is reported."""
        try:
            with engine_call("maie.synthesis.speak"):
                return await self._engine.speak(piece, self._voice, self._speed)
        except UnspeakableError as error:
            reason = (
                speech.UNSPOKEN_REASON_TOO_SLOW
                if error.too_slow
                else speech.UNSPOKEN_REASON_ENGINE_FAILED
            )
            log.warning("synthesis.sentence_failed", error=error.message)
            self._report(piece, reason, error.message)
            self._failures += 1
            return None

    def _report(self, piece: Piece, reason: speech.UnspokenReason, message: str) -> None:
        self._unspoken_count += 1
        if len(self._unspoken) < MAX_REPORTED:
            self._unspoken.append(
                speech.UnspokenSentence(
                    text_offset=piece.start,
                    text_length=piece.end - piece.start,
                    reason=reason,
                    message=message,
                )
            )

    def _nothing(self) -> StageError:
        if self._failures:
            message = f"The engine spoke none of the text: {self._unspoken[-1].message}"
            return StageError(Code.INTERNAL, Reason.ENGINE_FAILED, message)
        return invalid(
            Reason.TEXT_NOT_SPEAKABLE,
            "There is nothing in the text that the voice can speak; send English words or numbers.",
            field="text",
        )

    def _result(self, seconds: float) -> speech.SynthesizeResult:
        return speech.SynthesizeResult(
            engine=self._engine.version,
            voice=self._voice,
            duration=duration(seconds),
            spoken_sentences=self._spoken_count,
            unspoken=self._unspoken,
            unspoken_sentences=self._unspoken_count,
        )

    async def _run(self, call: Callable[[], ResultT]) -> ResultT:
        return await asyncio.get_running_loop().run_in_executor(self._executor, call)


def _encoded(encoder: Encoder, spoken: SpokenPiece, *, pause: bool) -> tuple[float, bytes]:
    """When a piece begins, and what the encoder made."""
    content = encoder.silence(PARAGRAPH_SECONDS) if pause else b""
    start = encoder.seconds
    return start, content + encoder.encode(spoken.samples, spoken.rate)


def _marks(piece: Piece, spoken: SpokenPiece, start: float) -> list[speech.Mark]:
    found = [
        speech.Mark(
            kind=speech.MARK_KIND_SENTENCE,
            text_offset=piece.start,
            text_length=piece.end - piece.start,
            start_offset=duration(start),
            end_offset=duration(start + spoken.duration),
        )
    ]
    for each in spoken.tokens:
        token = piece.tokens[each.token]
        found.append(
            speech.Mark(
                kind=speech.MARK_KIND_WORD,
                text_offset=token.start,
                text_length=token.end - token.start,
                start_offset=duration(start + each.start),
                end_offset=duration(start + each.end),
            )
        )
    return found


def _messages(content: bytes, marks: list[speech.Mark]) -> Iterator[speech.SynthesizeResponse]:
    """Messages of bounded size, the marks in the first one."""
    for place in range(0, max(len(content), 1 if marks else 0), MAX_CONTENT_BYTES):
        part = content[place : place + MAX_CONTENT_BYTES]
        audio = speech.SynthesizedAudio(content=part, marks=[] if place else marks)
        yield speech.SynthesizeResponse(audio=audio)
