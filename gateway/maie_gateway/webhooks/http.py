"""One POST to a receiver that is not trusted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import version

from aiohttp import ClientSession, ClientTimeout
from yarl import URL

from maie_gateway.egress.connections import open_session
from maie_gateway.egress.guard import UrlGuard

USER_AGENT = f"maie-webhooks/{version('maie-gateway')}"


class Poster:
    """Sends POSTs; follows no redirect, reads no answer's body."""

    def __init__(self, session: ClientSession, guard: UrlGuard) -> None:
        self._session = session
        self._guard = guard

    async def post(self, url: str | URL, headers: Mapping[str, str], content: bytes) -> int:
        """Sends a POST and returns the status of the answer.

        Raises:
            StageError: INVALID_ARGUMENT with URI_NOT_ALLOWED.
            TimeoutError: There was no answer in time.
            OSError, aiohttp.ClientError: There was no answer.
        """
        parsed = self._guard.parse(str(url))
        response = await self._session.post(
            parsed, data=content, headers=headers, allow_redirects=False
        )
        # Whatever else it sends is not for us, however much it is.
        response.close()
        return response.status


@asynccontextmanager
async def open_poster(guard: UrlGuard, timeout_seconds: float) -> AsyncIterator[Poster]:
    """A client whose every connection goes to an address that was just checked."""
    limits = ClientTimeout(total=timeout_seconds)
    async with open_session(guard, limits, USER_AGENT) as session:
        yield Poster(session, guard)
