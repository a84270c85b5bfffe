"""What a login is."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(kw_only=True, frozen=True, slots=True)
class Session:
    """A login.

    Attributes:
        token: The API key or the token that the gateway judges.
        expires_at: When the login ends, in seconds since 1970.
        refresh_token: Gives the next token; empty where the login ends with this one.
        renew_at: When the next token is needed, in seconds since 1970.
    """

    token: str = field(repr=False)
    expires_at: float
    refresh_token: str = field(default="", repr=False)
    renew_at: float = 0.0


@dataclass(kw_only=True, frozen=True, slots=True)
class PendingLogin:
    """A login that was begun at the provider.

    Attributes:
        state: What the provider sends back.
        nonce: What the ID token must say.
        verifier: Shows that who redeems the code began the login (RFC 7636).
        return_to: The path that the browser goes to afterwards.
        expires_at: When it is too late, in seconds since 1970.
    """

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    return_to: str
    expires_at: float
