"""What a login is."""

from __future__ import annotations

from dataclasses import dataclass, field

from litestar.connection import ASGIConnection

from maie.access.v1 import access_pb2 as access

AnyConnection = ASGIConnection  # of a request or a WebSocket


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


def session_of(token: str, caller: access.Caller, ends_at: float) -> Session:
    """A login that lasts as long as it may, and no longer than its credentials.

    Args:
        token: The credentials.
        caller: Who the gateway takes them for.
        ends_at: When the login ends at the latest, in seconds since 1970.
    """
    if caller.HasField("expire_time"):
        ends_at = min(ends_at, expires_at(caller))
    return Session(token=token, expires_at=ends_at)


def expires_at(caller: access.Caller) -> float:
    """When a caller's credentials expire, in seconds since 1970."""
    return caller.expire_time.ToMilliseconds() / 1000


@dataclass(kw_only=True, frozen=True, slots=True)
class OpenShare:
    """A share that a browser has opened.

    Attributes:
        token: The share's token.
        expires_at: When the share ends, in seconds since 1970.
    """

    token: str = field(repr=False)
    expires_at: float


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
