"""Callers by JSON Web Token."""

from __future__ import annotations

from typing import Any

import jwt
from jwt.exceptions import (
    ExpiredSignatureError,
    ImmatureSignatureError,
    InvalidAudienceError,
    InvalidIssuerError,
    PyJWTError,
)

from maie_core.caller import Caller, CallerKind, Scope
from maie_core.errors import StageError
from maie_gateway.access.checked_tokens import CheckedToken, CheckedTokens
from maie_gateway.access.signing_keys import SigningKeys
from maie_gateway.access.token_settings import TokenSettings
from maie_runtime.rpc.callers.authenticator import Call, bearer, credentials_invalid
from maie_runtime.rpc.callers.tenant import is_tenant

MAX_TOKEN_CHARACTERS = 8192
"""The longest token; larger ones are not read."""
MAX_KEY_ID_CHARACTERS = 256
MAX_SUBJECT_CHARACTERS = 128
_NEEDED = ("exp", "iss", "aud", "sub")


class TokenCallers:
    """Knows callers by the tokens of one issuer.

    Args:
        settings: Which tokens are taken.
        keys: The issuer's keys.

    Attributes:
        remedy: How to call with its credentials, as a sentence.
    """

    def __init__(self, settings: TokenSettings, keys: SigningKeys) -> None:
        self.remedy = f"Send a token of {settings.issuer} as `authorization: Bearer TOKEN`."
        self._settings = settings
        self._keys = keys
        self._checked = CheckedTokens()

    async def caller_of(self, call: Call) -> Caller | None:
        """Who has the call's token; None where the call has none.

        Raises:
            StageError: UNAUTHENTICATED with CREDENTIALS_INVALID; UNAVAILABLE with
                TOKEN_KEYS_UNAVAILABLE.
        """
        token = bearer(call)
        if token.count(".") != 2:
            return None
        if len(token) > MAX_TOKEN_CHARACTERS:
            raise credentials_invalid(
                f"The token is longer than {MAX_TOKEN_CHARACTERS} characters; ask its issuer for "
                "one with fewer claims."
            )
        checked = self._checked.find(token)
        # A key that its issuer has withdrawn meanwhile signs nothing any more.
        if checked is None or not self._keys.has(checked.key_id):
            checked = await self._check(token)
            self._checked.keep(token, checked)
        return checked.caller

    async def _check(self, token: str) -> CheckedToken:
        """What a token says that is right in every way."""
        try:
            key_id = jwt.get_unverified_header(token).get("kid")
        except (PyJWTError, ValueError, RecursionError):
            raise _damaged() from None
        if not isinstance(key_id, str) or len(key_id) > MAX_KEY_ID_CHARACTERS:
            raise credentials_invalid("The token does not say by which key (kid) it is signed.")
        key = await self._keys.find(key_id)
        if key is None:
            raise credentials_invalid(
                "The token is signed by a key that its issuer does not have; get a new one."
            )
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                # Never from the token: it could name a weaker one.
                algorithms=list(self._settings.algorithms),
                audience=self._settings.audience,
                issuer=self._settings.issuer,
                leeway=self._settings.leeway_seconds,
                options={"require": list(_NEEDED), "enforce_minimum_key_length": True},
            )
            expires_at = float(claims["exp"]) + self._settings.leeway_seconds
        except (PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise _refusal(error) from None
        return CheckedToken(caller=self._caller(claims, expires_at), key_id=key_id)

    def _caller(self, claims: dict[str, Any], expires_at: float) -> Caller:
        tenant = _claim(claims, self._settings.tenant_claim)
        if not isinstance(tenant, str) or not is_tenant(tenant):
            raise credentials_invalid(
                f"The token's claim {self._settings.tenant_claim} names no tenant of maie; ask who "
                "looks after its issuer."
            )
        subject = "".join(each for each in str(claims["sub"]) if each.isprintable())
        return Caller(
            id=f"jwt:{subject[:MAX_SUBJECT_CHARACTERS]}",
            tenant=tenant,
            scopes=self._scopes(claims),
            kind=CallerKind.JWT,
            expires_at=expires_at,
        )

    def _scopes(self, claims: dict[str, Any]) -> frozenset[Scope]:
        found = _claim(claims, self._settings.scopes_claim)
        values = found.split() if isinstance(found, str) else found
        known = self._settings.scopes
        return frozenset(
            known[value]
            for value in (values if isinstance(values, list) else ())
            if isinstance(value, str) and value in known
        )


def _claim(claims: Any, name: str) -> Any:
    """A claim by its name, or else by a path of names with dots between; None where it is not."""
    if isinstance(claims, dict) and name in claims:
        return claims[name]
    found = claims
    for step in name.split("."):
        found = found.get(step) if isinstance(found, dict) else None
    return found


def _refusal(error: Exception) -> StageError:
    """What is wrong with a token. Its holder may know; nothing of its content is said."""
    match error:
        case ExpiredSignatureError():
            return credentials_invalid("The token has expired; get a new one.")
        case ImmatureSignatureError():
            return credentials_invalid("The token is not valid yet; check the clocks.")
        case InvalidAudienceError():
            return credentials_invalid("The token is for another audience; get one for this mesh.")
        case InvalidIssuerError():
            return credentials_invalid("The token is of another issuer; get one for this mesh.")
    return _damaged()


def _damaged() -> StageError:
    return credentials_invalid(
        "The token is damaged, is not signed by its issuer, or lacks what a token must have; get a "
        "new one."
    )
