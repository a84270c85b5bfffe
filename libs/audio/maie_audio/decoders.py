"""The decoding processes of a service, which its tracks share."""

from __future__ import annotations

import asyncio
import itertools
import json
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Final, Self

from maie_audio import wire
from maie_audio.fork_server import ForkServer
from maie_audio.formats import MAX_MESSAGE_BYTES, Format, Limits, Part
from maie_audio.process import DecoderProcess, ProcessEndedError
from maie_audio.wire import Answer
from maie_core.errors import Code, StageError, invalid
from maie_core.reasons import Reason

# What a fork server runs for `Decoders`.
PROGRAM: Final = "maie_audio.child"
# How often a message is tried again after its process was ended by others' messages.
MAX_TRIES: Final = 5


@dataclass(kw_only=True, frozen=True, slots=True)
class Decoded:
    """What a message completes.

    Attributes:
        parts: The next audio of the track.
        state: What a decoder needs that goes on with the message after it.
    """

    parts: list[Part]
    state: bytes


class Decoders:
    """A pool of decoding processes, which start when they are needed.

    A context; all processes have ended when it is left.

    Args:
        fork_server: Starts the processes; of `PROGRAM`.
        limits: The limits on a process and on each message.
        max_processes: The most processes.
        tracks_per_process: Another process starts once all have this many tracks.
        stall_seconds: A process is killed after this long with one message.
    """

    def __init__(
        self,
        fork_server: ForkServer,
        limits: Limits | None = None,
        *,
        max_processes: int = 2,
        tracks_per_process: int = 32,
        stall_seconds: float = 15.0,
    ) -> None:
        self._fork_server = fork_server
        self._limits = limits or Limits()
        self._max_processes = max_processes
        self._tracks_per_process = tracks_per_process
        self._stall_seconds = stall_seconds
        self._processes: list[DecoderProcess] = []
        self._numbers = itertools.count(1)
        self._choosing = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await asyncio.gather(*(process.close() for process in self._processes))
        self._processes.clear()

    def open(self, stated: Format, state: bytes = b"") -> Decoder:
        """Begins a track, or goes on with one.

        Args:
            stated: The format as the track's sender states it.
            state: Of the last message before the next one; empty at the beginning.
        """
        # It loads the decoders until the first audio comes.
        self._fork_server.warm_up()
        return Decoder(self, next(self._numbers), stated, state)

    async def choose(self) -> DecoderProcess:
        """The process for another track."""
        async with self._choosing:
            while True:
                alive = [each for each in self._processes if not each.ended]
                least = min(alive, key=lambda each: each.tracks, default=None)
                if least is not None and (
                    least.tracks < self._tracks_per_process or len(alive) >= self._max_processes
                ):
                    return least
                process = await self.start()
                if self.add(process):
                    return process
                # A track that was alone in another one has added it meanwhile.
                await process.close()

    async def start(self) -> DecoderProcess:
        """Starts a process that is not in the pool."""
        return await DecoderProcess.start(self._fork_server, self._limits, self._stall_seconds)

    def add(self, process: DecoderProcess) -> bool:
        """Adds a process to the pool, and gives whether there was room for it."""
        # The end of the others is waited for when the pool is left.
        self._processes = [each for each in self._processes if not each.gone]
        room = sum(not each.ended for each in self._processes) < self._max_processes
        if room:
            self._processes.append(process)
        return room

    def pids(self) -> list[int]:
        """The ids of the processes."""
        return [process.pid for process in self._processes if not process.ended]


class Decoder:
    """The decoder of one track; made by `Decoders.open`.

    Call its methods one at a time. It stays usable after an error, as if the message
    had not been sent.
    """

    def __init__(self, pool: Decoders, number: int, stated: Format, state: bytes) -> None:
        self._pool = pool
        self._number = number
        self._stated = stated
        self._state = state
        self._process: DecoderProcess | None = None

    async def decode(self, message: bytes) -> Decoded:
        """Decodes what a message completes.

        Raises:
            StageError: INVALID_ARGUMENT with AUDIO_FORMAT_INVALID or AUDIO_PART_INVALID, or
                INTERNAL with DECODER_FAILED.
        """
        if len(message) > MAX_MESSAGE_BYTES:
            raise invalid(
                Reason.AUDIO_PART_INVALID,
                f"A message with audio has {len(message)} bytes, and up to {MAX_MESSAGE_BYTES} are "
                "supported; send it in parts.",
            )
        return await self._ask(wire.AUDIO, message)

    async def silence(self) -> Decoded:
        """Prepares for sound after silence that its sender states apart from the stream.

        Raises:
            StageError: INTERNAL with DECODER_FAILED.
        """
        return await self._ask(wire.SILENCE, b"")

    def close(self) -> None:
        """Ends the track."""
        if self._process is not None:
            self._process.send(wire.CLOSE, self._number)
            self._process.tracks -= 1
            self._process = None

    async def _ask(self, kind: bytes, body: bytes) -> Decoded:
        alone = False
        for _ in range(MAX_TRIES):
            try:
                answer = await (self._ask_alone if alone else self._ask_once)(kind, body)
            except ProcessEndedError as ended:
                self._leave()
                if ended.suspect and alone:
                    raise _failed(ended) from ended
                # Whether it was this message shows in a process of its own, where it ends no
                # other track's.
                alone = alone or ended.suspect
                last = ended
            except asyncio.CancelledError:
                # The process may have decoded the message by now.
                self.close()
                raise
            else:
                return self._read(answer)
        raise _failed(last)

    async def _ask_once(self, kind: bytes, body: bytes) -> Answer:
        if self._process is None or self._process.ended:
            self._leave()
            return await self._ask_in(await self._pool.choose(), kind, body)
        return await self._process.ask(kind, self._number, body=body)

    async def _ask_alone(self, kind: bytes, body: bytes) -> Answer:
        process = await self._pool.start()
        try:
            answer = await self._ask_in(process, kind, body)
        except BaseException:
            await process.close()
            raise
        if not self._pool.add(process):
            self._leave()
            await process.close()
        return answer

    async def _ask_in(self, process: DecoderProcess, kind: bytes, body: bytes) -> Answer:
        process.tracks += 1
        self._process = process
        head = json.dumps(asdict(self._stated)).encode()
        opened = await process.ask(wire.OPEN, self._number, head, self._state)
        if opened.refused is not None:
            return opened
        return await process.ask(kind, self._number, body=body)

    def _leave(self) -> None:
        if self._process is not None:
            self._process.tracks -= 1
            self._process = None

    def _read(self, answer: Answer) -> Decoded:
        if answer.refused is not None:
            # Another decoder begins from the state before the message.
            self.close()
            raise invalid(answer.refused.reason, answer.refused.message)
        self._state = answer.state
        return Decoded(parts=answer.parts, state=answer.state)


def _failed(ended: ProcessEndedError) -> StageError:
    if ended.by_input:
        return invalid(
            Reason.AUDIO_PART_INVALID,
            "A message with audio breaks the decoder or a limit on decoding; send the bytes as the "
            "encoder wrote them.",
        )
    return StageError(
        Code.INTERNAL, Reason.DECODER_FAILED, f"A decoding process {ended}; try again."
    )
