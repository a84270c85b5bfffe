"""The service's side of one decoding process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections import deque
from dataclasses import asdict
from typing import Final

import structlog

from maie_audio import wire
from maie_audio.confined_process import KILLED_BY_INPUT, ConfinedProcess
from maie_audio.fork_server import ForkServer, StartError
from maie_audio.formats import Limits
from maie_audio.wire import Answer

log = structlog.get_logger()

# A process is ready at once, unless the machine is very busy.
START_SECONDS: Final = 60.0
_READ_AHEAD_BYTES: Final = 256 * 1024


class ProcessEndedError(Exception):
    """A decoding process ended before it answered.

    Attributes:
        suspect: Whether it was decoding this message.
        by_input: Whether a limit or a decoder's error ended it.
    """

    def __init__(self, what: str, *, suspect: bool, by_input: bool) -> None:
        super().__init__(what)
        self.suspect = suspect
        self.by_input = by_input


class DecoderProcess:
    """A decoding process; made by `start`.

    Args:
        process: The process.
        stdin: Its standard input.
        stall_seconds: It is killed after this long with one message.

    Attributes:
        tracks: How many tracks it decodes.
        ended: Whether it ended, or is being ended.
    """

    def __init__(
        self, process: ConfinedProcess, stdin: asyncio.StreamWriter, stall_seconds: float
    ) -> None:
        self.tracks = 0
        self.ended = False
        self._process = process
        self._stdin = stdin
        self._stall_seconds = stall_seconds
        self._waiting: deque[asyncio.Future[Answer]] = deque()
        self._patience = asyncio.timeout(None)
        self._reading: asyncio.Task[None] | None = None

    @classmethod
    async def start(
        cls, fork_server: ForkServer, limits: Limits, stall_seconds: float
    ) -> DecoderProcess:
        """Starts a process and waits until it is ready.

        Raises:
            ProcessEndedError: It did not become ready.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            _, stdin = await asyncio.open_connection(sock=ours)
            try:
                process = await fork_server.start(
                    json.dumps(asdict(limits)),
                    stdin=theirs.fileno(),
                    buffer_bytes=_READ_AHEAD_BYTES,
                )
            except BaseException as error:
                stdin.close()
                if isinstance(error, StartError):
                    what = str(error)
                    raise ProcessEndedError(what, suspect=False, by_input=False) from error
                raise
        started = cls(process, stdin, stall_seconds)
        try:
            async with asyncio.timeout(START_SECONDS):
                await started._receive()
        except BaseException as error:
            started.ended = True
            await started._end()
            if isinstance(error, (asyncio.IncompleteReadError, TimeoutError)):
                raise ProcessEndedError("did not start", suspect=False, by_input=False) from error
            raise
        await started._begin()
        return started

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def gone(self) -> bool:
        """Whether nothing of it is left."""
        return self._reading is not None and self._reading.done()

    async def ask(self, kind: bytes, track: int, head: bytes = b"", body: bytes = b"") -> Answer:
        """Sends a message and waits for its answer.

        Raises:
            ProcessEndedError: The process ended first.
        """
        if self.ended:
            raise ProcessEndedError("has ended", suspect=False, by_input=False)
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        if len(self._waiting) == 1:
            self._wait_for_answer()
        self.send(kind, track, head, body)
        return await future

    def send(self, kind: bytes, track: int, head: bytes = b"", body: bytes = b"") -> None:
        """Sends a message. Each track has at most one without an answer, so this needs no pause."""
        if self.ended:
            return
        self._stdin.write(wire.pack(kind, track, head, body))

    async def close(self) -> None:
        """Kills the process and reaps it."""
        self.ended = True
        if self._reading is not None and not self._reading.done():
            self._reading.cancel()
            await asyncio.wait([self._reading])
        self._fail_all("was ended", by_input=False)
        await self._end()

    async def _begin(self) -> None:
        self._reading = asyncio.create_task(self._read())
        # Its timeout is entered then.
        await asyncio.sleep(0)

    async def _read(self) -> None:
        """Takes answers until the process ends, and fails what is left without one."""
        why, by_input = "ended", False
        try:
            await self._take_answers()
        except asyncio.IncompleteReadError:
            # Killing it now would hide what ended it.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._stall_seconds):
                    await self._process.wait()
        except TimeoutError:
            why, by_input = "did not come to an end with a message", True
        except (LookupError, TypeError, ValueError) as error:
            why = f"sent an answer that cannot be read: {error}"
        trace = await self._end()
        status = await self._process.wait()
        log.warning("audio.decoder_ended", why=why, status=status, trace=trace)
        self._fail_all(why, by_input=by_input or -status in KILLED_BY_INPUT)

    async def _take_answers(self) -> None:
        """Gives each answer to its caller, in order; afterwards no message is taken."""
        try:
            async with self._patience:
                while True:
                    answer = await self._receive()
                    future = self._waiting.popleft()
                    self._wait_for_answer()
                    if not future.done():  # its caller may be gone
                        future.set_result(answer)
        finally:
            self.ended = True

    async def _end(self) -> str:
        self._stdin.close()
        trace = await self._process.end()
        # What it had not read is lost with it.
        with contextlib.suppress(ConnectionError):
            await self._stdin.wait_closed()
        return trace

    def _wait_for_answer(self) -> None:
        """Gives the process its time for the next answer, if it owes one."""
        now = asyncio.get_running_loop().time()
        self._patience.reschedule(now + self._stall_seconds if self._waiting else None)

    def _fail_all(self, why: str, *, by_input: bool) -> None:
        """Fails all messages without an answer; the first is the one that it was decoding."""
        suspect = True
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_exception(ProcessEndedError(why, suspect=suspect, by_input=by_input))
            suspect = False

    async def _receive(self) -> Answer:
        pipe = self._process.stdout
        kind, _, head_size, body_size = wire.HEADER.unpack(await pipe.readexactly(wire.HEADER.size))
        if head_size > wire.MAX_HEAD_BYTES or body_size > wire.MAX_BODY_BYTES:
            raise ValueError("it is too large")
        head = await pipe.readexactly(head_size)
        return wire.parse_answer(kind, head, await pipe.readexactly(body_size))
