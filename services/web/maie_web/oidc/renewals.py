"""Tokens that are renewed before they expire."""

from __future__ import annotations

import asyncio
import time

from maie_client import Client
from maie_web.oidc.provider import Provider, Tokens
from maie_web.sessions.session import Session, expires_at, session_of

# Before a token expires, so that a call that begins now has one that lasts.
AHEAD_SECONDS = 60.0
# Requests of one page that came with the token before get the same next one.
KEEP_SECONDS = 60.0


class Renewals:
    """Renews the tokens of logins, each once, however many requests ask for it.

    Args:
        provider: Gives tokens.
        client: The gateway, which says until when they count.
    """

    def __init__(self, provider: Provider, client: Client) -> None:
        self._provider = provider
        self._client = client
        self._running: dict[str, asyncio.Task[Session]] = {}

    async def current(self, session: Session) -> Session:
        """The login with a token that lasts.

        Raises:
            StageError: UNAUTHENTICATED with LOGIN_FAILED; UNAVAILABLE with LOGIN_UNAVAILABLE.
            ClientError: The gateway does not take the token.
        """
        if not session.refresh_token or time.time() < session.renew_at:
            return session
        key = session.refresh_token
        if key not in self._running or _is_old(self._running[key]):
            task = self._running[key] = asyncio.create_task(self._renew(session))
            task.add_done_callback(lambda done: self._forget_later(key, done))
        return await asyncio.shield(self._running[key])

    async def session_of(self, tokens: Tokens, ends_at: float) -> Session:
        """The login of tokens, which the gateway takes.

        Args:
            tokens: What the provider gave.
            ends_at: When the login ends at the latest, in seconds since 1970.

        Raises:
            ClientError: The gateway does not take the token.
        """
        caller = await self._client.acting(token=tokens.token).get_caller()
        if not tokens.refresh_token or not caller.HasField("expire_time"):
            return session_of(tokens.token, caller, ends_at)
        expires = expires_at(caller)
        return Session(
            token=tokens.token,
            expires_at=ends_at,
            refresh_token=tokens.refresh_token,
            renew_at=expires - min(AHEAD_SECONDS, (expires - time.time()) / 2),
        )

    async def _renew(self, session: Session) -> Session:
        tokens = await self._provider.refreshed(session.refresh_token)
        return await self.session_of(tokens, session.expires_at)

    def _forget_later(self, key: str, task: asyncio.Task[Session]) -> None:
        failed = task.cancelled() or task.exception() is not None
        delay = 0.0 if failed else KEEP_SECONDS
        asyncio.get_running_loop().call_later(delay, self._forget, key, task)

    def _forget(self, key: str, task: asyncio.Task[Session]) -> None:
        if self._running.get(key) is task:
            del self._running[key]


def _is_old(task: asyncio.Task[Session]) -> bool:
    """Whether what a renewal gave must be renewed by now, such as with the same refresh token."""
    if not task.done() or task.cancelled() or task.exception() is not None:
        return False
    return time.time() >= task.result().renew_at
