"""The streams that run, so that those of a caller end with its credentials."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from maie_runtime.rpc.callers.authenticator import credentials_invalid


class RunningStreams:
    """The streams that run, by their callers' ids."""

    def __init__(self) -> None:
        self._streams: defaultdict[str, set[asyncio.Timeout]] = defaultdict(set)

    @asynccontextmanager
    async def stream(self, caller_id: str) -> AsyncIterator[None]:
        """Wraps a stream of a caller, in the stream's own task.

        Raises:
            StageError: UNAUTHENTICATED with CREDENTIALS_INVALID: `end` ended it.
        """
        limit = asyncio.timeout(None)
        try:
            async with limit:
                self._streams[caller_id].add(limit)
                try:
                    yield
                finally:
                    self._forget(caller_id, limit)
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise credentials_invalid(
                "The credentials of this call were revoked while it ran; use others."
            ) from error

    def end(self, caller_id: str) -> None:
        """Ends the streams of a caller."""
        for limit in tuple(self._streams.get(caller_id, ())):
            limit.reschedule(asyncio.get_running_loop().time())

    def _forget(self, caller_id: str, limit: asyncio.Timeout) -> None:
        self._streams[caller_id].discard(limit)
        if not self._streams[caller_id]:
            del self._streams[caller_id]
