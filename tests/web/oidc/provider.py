"""An OpenID Connect provider, small but real: it checks what a client sends, and signs."""

from __future__ import annotations

import secrets
import time
from base64 import b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from tests.gateway.access.issuer import AUDIENCE, Issuer

CLIENT, SECRET = "maie web", "s3cret&/+"
DISCOVERY = "/.well-known/openid-configuration"


@dataclass(kw_only=True)
class OidcProvider:
    """The provider.

    Attributes:
        issuer: Its keys.
        url: Its address, once it runs.
        id_claims: Claims of the next ID tokens in place of right ones.
        id_key: The key that signs ID tokens.
        seconds: How long access tokens last.
        documents: What discovery says in place of what is right.
        granted: How often each grant was given.
        revoked: The refresh tokens that were revoked.
        refuses: Whether it refuses every grant.
    """

    issuer: Issuer = field(default_factory=Issuer)
    url: str = ""
    id_claims: dict[str, Any] = field(default_factory=dict)
    id_key: str = "one"
    seconds: float = 600
    documents: dict[str, Any] = field(default_factory=dict)
    granted: list[str] = field(default_factory=list)
    revoked: list[str] = field(default_factory=list)
    refuses: bool = False
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)
    _refresh: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Makes its key, and one that it does not publish."""
        self.issuer.add("one")

    async def discovery(self, _: web.Request) -> web.Response:
        """Describes it."""
        return web.json_response(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/jwks",
                "revocation_endpoint": f"{self.url}/revoke",
                **self.documents,
            }
        )

    async def jwks(self, _: web.Request) -> web.Response:
        """Its public keys."""
        return web.json_response(self.issuer.jwks())

    async def authorize(self, request: web.Request) -> web.Response:
        """Logs a person in, who has nothing to type here."""
        asked = dict(request.query)
        assert asked["client_id"] == CLIENT
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        back = urlencode({"code": code, "state": asked["state"]})
        raise web.HTTPFound(f"{asked['redirect_uri']}?{back}")

    async def token(self, request: web.Request) -> web.Response:
        """Gives tokens for a code, or for a refresh token, each once."""
        form = await request.post()
        basic = b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
        if self.refuses or basic != "maie+web:s3cret%26%2F%2B":
            return web.json_response({"error": "invalid_client"}, status=401)
        nonce = {}
        if form["grant_type"] == "authorization_code":
            asked = self._codes.pop(str(form["code"]), None)
            digest = sha256(str(form["code_verifier"]).encode()).digest()
            challenge = urlsafe_b64encode(digest).decode().rstrip("=")
            if (
                asked is None
                or asked["code_challenge"] != challenge
                or asked["redirect_uri"] != form["redirect_uri"]
            ):
                return web.json_response({"error": "invalid_grant"}, status=400)
            nonce = {"nonce": asked["nonce"]}
        else:
            if form["refresh_token"] not in self._refresh:
                return web.json_response({"error": "invalid_grant"}, status=400)
            self._refresh.remove(str(form["refresh_token"]))
        self.granted.append(str(form["grant_type"]))
        return web.json_response(self._tokens(nonce))

    def _tokens(self, nonce: dict[str, str]) -> dict[str, Any]:
        now = time.time()
        refresh = secrets.token_urlsafe(16)
        self._refresh.add(refresh)
        right = {"iss": self.url, "aud": CLIENT, **nonce}
        return {
            "token_type": "Bearer",
            "access_token": self.issuer.token(
                iss=self.url, aud=AUDIENCE, exp=now + self.seconds, jti=refresh
            ),
            "id_token": self.issuer.token(self.id_key, **{**right, **self.id_claims}),
            "refresh_token": refresh,
        }

    async def revoke(self, request: web.Request) -> web.Response:
        """Ends a login."""
        token = str((await request.post())["token"])
        self._refresh.discard(token)
        self.revoked.append(token)
        return web.Response()


@asynccontextmanager
async def a_provider() -> AsyncIterator[OidcProvider]:
    """A provider that runs."""
    provider = OidcProvider()
    app = web.Application()
    app.router.add_get(DISCOVERY, provider.discovery)
    app.router.add_get("/jwks", provider.jwks)
    app.router.add_get("/authorize", provider.authorize)
    app.router.add_post("/token", provider.token)
    app.router.add_post("/revoke", provider.revoke)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        provider.url = f"http://{host}:{port}"
        yield provider
    finally:
        await runner.cleanup()
