"""Who calls: one Caller for each call, whatever its credentials are."""

from __future__ import annotations

import enum
from contextvars import ContextVar
from dataclasses import dataclass

DEFAULT_TENANT = "default"
"""The tenant of calls, and of jobs, that name none."""


class Scope(enum.StrEnum):
    """What a caller may do."""

    SUBMIT = "submit"
    """Create the tenant's jobs, and change, retry, cancel and delete them."""
    READ = "read"
    """Read the tenant's jobs, results, recordings and events, and the models and templates."""
    LIVE = "live"
    """Have live sessions of the tenant transcribed."""
    ADMIN = "admin"
    """Look after the mesh: keys of every tenant, the state of all parts, direct calls to stages."""
    SHARED = "shared"
    """Read the one job of a share."""
    SHARED_AUDIO = "shared_audio"
    """Get the audio of the one job of a share."""


OF_SHARES = frozenset({Scope.SHARED, Scope.SHARED_AUDIO})
"""What only callers with the token of a share have; no key and no token of an issuer."""
ALL_SCOPES = frozenset(Scope) - OF_SHARES
"""What keys, tokens of an issuer and users may have."""


class CallerKind(enum.StrEnum):
    """How a server knows who calls."""

    KEY = "key"
    """By an API key."""
    JWT = "jwt"
    """By a JSON Web Token."""
    LOCAL = "local"
    """By the kernel: the user who runs the server calls it on the same machine."""
    MESH = "mesh"
    """By a certificate of the mesh."""
    SHARE = "share"
    """By the token of a share."""


# They act for any tenant that they name; the others have one of their own.
_OF_ANY_TENANT = frozenset({CallerKind.LOCAL, CallerKind.MESH})


@dataclass(kw_only=True, frozen=True, slots=True)
class Caller:
    """Who makes a call.

    Attributes:
        id: The caller's name in logs and limits, such as "key:0f3a" or "local:1000"; no secret.
        tenant: The tenant that it acts for.
        scopes: What it may do.
        kind: How the server knows it.
        expires_at: When its credentials expire, in seconds since 1970; None where they do not by
            themselves.
        only_job: The one job of the tenant that it may read; empty for all of them.
    """

    id: str
    tenant: str
    scopes: frozenset[Scope]
    kind: CallerKind
    expires_at: float | None = None
    only_job: str = ""

    @property
    def limited_id(self) -> str:
        """The id by which it is limited; empty for who runs the server, or is a part of it."""
        return "" if self.names_tenants else self.id

    @property
    def names_tenants(self) -> bool:
        """Whether it may act for any tenant that it names."""
        return self.kind in _OF_ANY_TENANT


_caller: ContextVar[Caller] = ContextVar("maie_caller")


def current_caller() -> Caller:
    """Who makes the call that this task serves.

    Raises:
        LookupError: The task serves no call, or one that anybody may make, such as of health.
    """
    return _caller.get()


def set_caller(caller: Caller) -> None:
    """Says who makes the call that this task serves. A call's interceptor does, and nobody else."""
    _caller.set(caller)
