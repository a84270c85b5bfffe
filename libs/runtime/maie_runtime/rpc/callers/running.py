"""The streams that run, so that those of a caller end with its credentials."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from maie_core.caller import Caller, CallerKind
from maie_core.errors import Code, StageError
from maie_runtime.rpc.callers.authenticator import credentials_invalid

Admit = Callable[[], Awaitable[Caller]]
"""Finds out again who makes a call, and whether it may."""


@dataclass(kw_only=True, eq=False, slots=True)
class _Stream:
    """A stream that runs.

    Attributes:
        caller: Who has it.
        admit: Finds out again who has it.
        limit: Ends it.
        error: Why it ends.
        alarm: Rings when its credentials expire.
        asking: What finds out again.
    """

    caller: Caller
    admit: Admit
    limit: asyncio.Timeout
    error: StageError | None = None
    alarm: asyncio.TimerHandle | None = None
    asking: set[asyncio.Task[None]] = field(default_factory=set)


class RunningStreams:
    """The streams that run, by their callers' ids.

    A stream ends when its credentials expire, and when its caller, asked for again by `recheck`,
    would not be let in any more.
    """

    def __init__(self) -> None:
        self._streams: defaultdict[str, set[_Stream]] = defaultdict(set)

    @asynccontextmanager
    async def stream(self, caller: Caller, admit: Admit) -> AsyncIterator[None]:
        """Wraps a stream, in the stream's own task.

        Args:
            caller: Who has it.
            admit: Finds out again who has it.

        Raises:
            StageError: UNAUTHENTICATED or PERMISSION_DENIED: it would not be let in any more.
        """
        stream = _Stream(caller=caller, admit=admit, limit=asyncio.timeout(None))
        try:
            async with stream.limit:
                self._streams[caller.id].add(stream)
                self._set_alarm(stream)
                try:
                    yield
                finally:
                    self._forget(stream)
        except TimeoutError as error:
            if stream.error is None or not stream.limit.expired():
                raise
            raise stream.error from error

    def recheck(self, caller_id: str = "") -> None:
        """Finds out again who has the streams of a caller, since its credentials changed.

        Args:
            caller_id: The caller; empty for all.
        """
        ids = (caller_id,) if caller_id else tuple(self._streams)
        for each in ids:
            for stream in tuple(self._streams.get(each, ())):
                asking = asyncio.create_task(self._ask(stream))
                stream.asking.add(asking)
                asking.add_done_callback(stream.asking.discard)

    def recheck_kind(self, kind: CallerKind) -> None:
        """Finds out again who has the streams of callers of a kind."""
        of_kind = {
            stream.caller.id
            for streams in self._streams.values()
            for stream in streams
            if stream.caller.kind is kind
        }
        for caller_id in of_kind:
            self.recheck(caller_id)

    async def _ask(self, stream: _Stream) -> None:
        try:
            caller = await stream.admit()
        except StageError as error:
            # What cannot be known now is asked again once it can: the ring of keys and the keys of
            # an issuer call `recheck` when they have been read.
            if error.code is not Code.UNAVAILABLE:
                self._end(stream, error)
            return
        if (caller.id, caller.tenant) != (stream.caller.id, stream.caller.tenant):
            self._end(
                stream,
                credentials_invalid(
                    "The credentials of this call became another caller's while it ran; call again."
                ),
            )
            return
        stream.caller = caller
        self._set_alarm(stream)

    def _set_alarm(self, stream: _Stream) -> None:
        if stream.alarm is not None:
            stream.alarm.cancel()
            stream.alarm = None
        if (end := stream.caller.expires_at) is not None:
            loop = asyncio.get_running_loop()
            stream.alarm = loop.call_later(max(0.0, end - time.time()), self._ring, stream)

    def _ring(self, stream: _Stream) -> None:
        end = stream.caller.expires_at
        if end is not None and end > time.time():
            # The clock was set back, or the timer came a little early.
            self._set_alarm(stream)
            return
        self._end(
            stream,
            credentials_invalid(
                "The credentials of this call expired while it ran; call again with new ones."
            ),
        )

    def _end(self, stream: _Stream, error: StageError) -> None:
        if stream.error is None:
            stream.error = error
            stream.limit.reschedule(asyncio.get_running_loop().time())

    def _forget(self, stream: _Stream) -> None:
        if stream.alarm is not None:
            stream.alarm.cancel()
        for asking in tuple(stream.asking):
            asking.cancel()
        streams = self._streams[stream.caller.id]
        streams.discard(stream)
        if not streams:
            del self._streams[stream.caller.id]
