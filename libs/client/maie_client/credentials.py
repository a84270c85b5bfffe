"""What a client shows to say who it is."""

from __future__ import annotations

from collections.abc import Callable

from maie_client.errors import token_invalid

Token = str | Callable[[], str]
"""An API key or a JSON Web Token; or a function that gives it, which is called for each call."""

TENANT_KEY = "maie-tenant"
AUTHORIZATION_KEY = "authorization"
FORWARDED_KEY = "x-forwarded-for"


class CallMetadata:
    """The metadata of a client's calls.

    Args:
        tenant: The tenant that they name; empty for none.
        token: What says who calls; empty for nothing.
        forwarded_for: The address that they are made for; empty for this client's own.
    """

    def __init__(self, tenant: str, token: Token, forwarded_for: str = "") -> None:
        self._forwarded_for = forwarded_for
        self._tenant = tenant
        self._token = token

    @property
    def has_token(self) -> bool:
        """Whether there is something secret in it."""
        return bool(self._token)

    def now(self) -> tuple[tuple[str, str], ...]:
        """The metadata of a call that begins now.

        Raises:
            ClientError: UNAUTHENTICATED with CREDENTIALS_INVALID: gRPC cannot carry the token.
        """
        token = self._token() if callable(self._token) else self._token
        if not (token.isascii() and token.isprintable()):
            raise token_invalid()
        named = ((TENANT_KEY, self._tenant),) if self._tenant else ()
        if self._forwarded_for:
            named = (*named, (FORWARDED_KEY, self._forwarded_for))
        return (*named, (AUTHORIZATION_KEY, f"Bearer {token}")) if token else named
