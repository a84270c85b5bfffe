"""Logins of people, from the redirect to the provider to the login's cookie."""

from __future__ import annotations

import hmac
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256

import httpx2

from maie_client import Client
from maie_web.oidc.provider import TIMEOUT_SECONDS, Provider, login_failed
from maie_web.oidc.renewals import Renewals
from maie_web.sessions.session import PendingLogin, Session
from maie_web.settings import WebSettings

CALLBACK = "/v1/session/oidc/callback"
# How long a person may take at the provider.
PENDING_SECONDS = 600.0
SECRET_BYTES = 32


class Logins:
    """Logs people in at a provider.

    Args:
        provider: The provider.
        client: The gateway, which judges the tokens.
        session_seconds: How long a login lasts at most.

    Attributes:
        provider: The provider.
        renewals: Renews the tokens of logins.
    """

    def __init__(self, provider: Provider, client: Client, session_seconds: float) -> None:
        self.provider = provider
        self.renewals = Renewals(provider, client)
        self._session_seconds = session_seconds

    async def begin(self, return_to: str) -> tuple[str, PendingLogin]:
        """Where a browser logs in, and what it must bring back.

        Args:
            return_to: The path that the browser goes to afterwards; "/" in place of one that
                leads to another site.

        Raises:
            StageError: UNAVAILABLE with LOGIN_UNAVAILABLE.
        """
        pending = PendingLogin(
            state=secrets.token_urlsafe(SECRET_BYTES),
            nonce=secrets.token_urlsafe(SECRET_BYTES),
            verifier=secrets.token_urlsafe(SECRET_BYTES),
            return_to=return_to if is_own_path(return_to) else "/",
            expires_at=time.time() + PENDING_SECONDS,
        )
        digest = sha256(pending.verifier.encode()).digest()
        challenge = urlsafe_b64encode(digest).decode().rstrip("=")
        url = await self.provider.login_url(
            state=pending.state, nonce=pending.nonce, challenge=challenge
        )
        return url, pending

    async def finish(self, pending: PendingLogin | None, state: str, code: str) -> Session:
        """The login of a browser that comes back.

        Args:
            pending: What it brings from the beginning; None for nothing.
            state: What the provider sent back.
            code: What the provider gave.

        Raises:
            StageError: UNAUTHENTICATED with LOGIN_FAILED; UNAVAILABLE with LOGIN_UNAVAILABLE.
            ClientError: The gateway does not take the token.
        """
        if pending is None or not hmac.compare_digest(pending.state.encode(), state.encode()):
            raise login_failed("this browser did not begin it, or took too long")
        if not code:
            raise login_failed("its provider gave no code")
        tokens = await self.provider.tokens_of(code, pending.verifier, pending.nonce)
        return await self.renewals.session_of(tokens, time.time() + self._session_seconds)


def is_own_path(path: str) -> bool:
    """Whether a path stays at this site, however a browser reads it."""
    return (
        path.startswith("/")
        and not path.startswith("//")
        and "\\" not in path
        and path.isprintable()
    )


@asynccontextmanager
async def open_logins(settings: WebSettings, client: Client) -> AsyncIterator[Logins | None]:
    """Logins at the provider that the settings name; None where they name none."""
    if not settings.oidc_issuer:
        yield None
        return
    async with httpx2.AsyncClient(timeout=TIMEOUT_SECONDS) as http:
        provider = Provider(
            issuer=settings.oidc_issuer,
            client_id=settings.oidc_client_id,
            client_secret=settings.oidc_client_secret,
            redirect_url=f"{settings.public_url.rstrip('/')}{CALLBACK}",
            scopes=settings.oidc_scopes,
            credential=settings.oidc_credential,
            http=http,
        )
        yield Logins(provider, client, settings.session_hours * 3600)
