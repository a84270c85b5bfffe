"""The provider: where it is, by which keys it signs, and the tokens that it gives.

https://openid.net/specs/openid-connect-core-1_0.html, https://datatracker.ietf.org/doc/html/rfc7636
"""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote_plus, urlencode, urlsplit

import httpx2
import jwt
import structlog

from maie_client.channel import is_loopback
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason

log = structlog.get_logger()

WELL_KNOWN = "/.well-known/openid-configuration"
TIMEOUT_SECONDS = 10.0
KEEP_SECONDS = 3600.0
# For tokens with an unknown key.
LEAST_SECONDS = 10.0
LEEWAY_SECONDS = 60.0
# Never one of the token's choice, and none of which the client has the key.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
_NEEDED = ("exp", "iat", "iss", "aud", "sub", "nonce")


@dataclass(kw_only=True, frozen=True, slots=True)
class Tokens:
    """What the provider gives.

    Attributes:
        token: The one that the gateway judges.
        refresh_token: Gives the next; empty for none.
        id_token: Says who logged in; empty where it comes with a refreshed token no more.
    """

    token: str = field(repr=False)
    refresh_token: str = field(default="", repr=False)
    id_token: str = field(default="", repr=False)


class Provider:
    """An OpenID Connect provider, as one of its clients sees it.

    Args:
        issuer: Its URL.
        client_id: The client's id.
        client_secret: The client's secret; empty for a public client.
        redirect_url: Where the provider sends browsers back to.
        scopes: What is asked for, with blanks between.
        credential: Which of its tokens the gateway judges.
        http: What it is asked with.
    """

    def __init__(
        self,
        *,
        issuer: str,
        client_id: str,
        client_secret: str,
        redirect_url: str,
        scopes: str,
        credential: Literal["access_token", "id_token"],
        http: httpx2.AsyncClient,
    ) -> None:
        self._issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._redirect_url = redirect_url
        self._scopes = scopes
        self._credential = credential
        self._http = http
        self._metadata: Mapping[str, Any] = {}
        self._read_at = float("-inf")
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._keys_read_at = float("-inf")

    async def login_url(self, *, state: str, nonce: str, challenge: str) -> str:
        """Where a browser logs in.

        Args:
            state: What the provider sends back.
            nonce: What the ID token must say.
            challenge: The SHA-256 of the verifier, in Base64 for URLs.

        Raises:
            StageError: UNAVAILABLE with LOGIN_UNAVAILABLE.
        """
        asked = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": self._redirect_url,
            "scope": self._scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        endpoint = await self._endpoint("authorization_endpoint")
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(asked)}"

    async def tokens_of(self, code: str, verifier: str, nonce: str) -> Tokens:
        """The tokens that a code stands for, whose ID token is right in every way.

        Raises:
            StageError: UNAUTHENTICATED with LOGIN_FAILED; UNAVAILABLE with LOGIN_UNAVAILABLE.
        """
        tokens = await self._ask(
            grant_type="authorization_code",
            code=code,
            redirect_uri=self._redirect_url,
            code_verifier=verifier,
        )
        await self._check(tokens.id_token, nonce)
        return tokens

    async def refreshed(self, refresh_token: str) -> Tokens:
        """The next tokens of a login.

        Raises:
            StageError: UNAUTHENTICATED with LOGIN_FAILED; UNAVAILABLE with LOGIN_UNAVAILABLE.
        """
        return await self._ask(grant_type="refresh_token", refresh_token=refresh_token)

    async def revoke(self, refresh_token: str) -> None:
        """Ends a login at the provider, where it can do that (RFC 7009)."""
        if not (await self._described()).get("revocation_endpoint"):
            return
        endpoint = await self._endpoint("revocation_endpoint")
        await self._post(endpoint, {"token": refresh_token, "token_type_hint": "refresh_token"})

    async def _ask(self, **form: str) -> Tokens:
        response = await self._post(await self._endpoint("token_endpoint"), form)
        found = _object(response)
        if response.status_code != httpx2.codes.OK:
            raise login_failed(f"its provider refused ({_word(found.get('error'))})")
        id_token = found.get("id_token") or ""
        token = found.get(self._credential) or ""
        refresh = found.get("refresh_token") or form.get("refresh_token", "")
        if not all(isinstance(each, str) for each in (id_token, token, refresh)) or not token:
            raise login_failed(f"its provider gave no {self._credential}")
        return Tokens(token=token, refresh_token=refresh, id_token=id_token)

    async def _post(self, url: str, form: Mapping[str, str]) -> httpx2.Response:
        data, headers = dict(form), {"accept": "application/json"}
        if self._client_secret:
            headers["authorization"] = _basic(self._client_id, self._client_secret)
        else:
            data["client_id"] = self._client_id
        try:
            return await self._http.post(url, data=data, headers=headers)
        except httpx2.HTTPError as error:
            raise _unavailable(error) from error

    async def _check(self, id_token: str, nonce: str) -> None:
        """Checks an ID token (OpenID Connect Core 3.1.3.7)."""
        try:
            key_id = jwt.get_unverified_header(id_token).get("kid") if id_token else None
            key = await self._key(key_id if isinstance(key_id, str) else "")
            claims: dict[str, Any] = jwt.decode(
                id_token,
                key,
                algorithms=list(ALGORITHMS),
                audience=self._client_id,
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": list(_NEEDED), "enforce_minimum_key_length": True},
            )
        except (jwt.PyJWTError, ValueError) as error:
            raise login_failed(f"its ID token is not right ({type(error).__name__})") from error
        if claims["nonce"] != nonce:
            raise login_failed("its ID token is of another login")
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if (several or "azp" in claims) and claims.get("azp") != self._client_id:
            raise login_failed("its ID token is for another client")

    async def _key(self, key_id: str) -> jwt.PyJWK:
        since = time.monotonic() - self._keys_read_at
        if since > KEEP_SECONDS or (key_id not in self._keys and since > LEAST_SECONDS):
            self._keys_read_at = time.monotonic()
            found = jwt.PyJWKSet.from_dict(await self._get(await self._endpoint("jwks_uri")))
            self._keys = {each.key_id: each for each in found.keys if each.key_id}
        if key_id not in self._keys:
            raise jwt.InvalidKeyError("unknown key")
        return self._keys[key_id]

    async def _endpoint(self, name: str) -> str:
        url = (await self._described()).get(name)
        if not isinstance(url, str) or not is_protected(url):
            raise _unavailable(ValueError(f"no {name} over https"))
        return url

    async def _described(self) -> Mapping[str, Any]:
        if time.monotonic() - self._read_at > KEEP_SECONDS:
            found = await self._get(f"{self._issuer.rstrip('/')}{WELL_KNOWN}")
            if found.get("issuer") != self._issuer:
                raise _unavailable(ValueError("it describes another issuer"))
            self._metadata, self._read_at = found, time.monotonic()
        return self._metadata

    async def _get(self, url: str) -> dict[str, Any]:
        try:
            response = await self._http.get(url)
            response.raise_for_status()
        except httpx2.HTTPError as error:
            raise _unavailable(error) from error
        return _object(response)


def is_protected(url: str) -> bool:
    """Whether a URL is over TLS, or leads to this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.netloc))


def login_failed(why: str) -> StageError:
    """The error of a login that cannot be trusted, or that its provider refused."""
    return StageError(
        Code.UNAUTHENTICATED, Reason.LOGIN_FAILED, f"The login failed: {why}; log in again."
    )


def _basic(client_id: str, secret: str) -> str:
    """A client's credentials, as RFC 6749 2.3.1 encodes them."""
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return f"Basic {b64encode(pair.encode()).decode()}"


def _object(response: httpx2.Response) -> dict[str, Any]:
    try:
        found = response.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise _unavailable(ValueError("no JSON"))
    return found


def _word(value: object) -> str:
    """An error code of the provider; nothing else is shown."""
    text = str(value)[:40]
    return text if text.isascii() and text.replace("_", "").isalnum() else "no reason"


def _unavailable(error: Exception) -> StageError:
    log.warning("oidc.unavailable", error=type(error).__name__, detail=str(error))
    return StageError(
        Code.UNAVAILABLE,
        Reason.LOGIN_UNAVAILABLE,
        "The provider of logins does not answer as it should; try again in a while, or log in "
        "with an API key.",
    )
