"""What a server knows of a call before it is served, and what tells who calls by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from maie_core.caller import Caller
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason

AUTHORIZATION = "authorization"
"""The key of the metadata with an API key or a token, as `Bearer KEY`."""


@dataclass(kw_only=True, frozen=True, slots=True)
class Call:
    """What a server knows of a call before it is served.

    Attributes:
        peer: The caller's address as gRPC writes it, such as "ipv4:127.0.0.1:41234".
        server: The server's own HOST:PORT.
        metadata: The call's metadata, each key with all its values.
        transport: What TLS says of the caller, by gRPC's names, such as
            `x509_subject_alternative_name`; empty without TLS.
    """

    peer: str
    server: str
    metadata: Mapping[str, Sequence[str | bytes]]
    transport: Mapping[str, Sequence[bytes]]


class Authenticator(Protocol):
    """Tells callers by one kind of credentials.

    Attributes:
        remedy: How to call with its credentials, as a sentence.
    """

    remedy: str

    async def caller_of(self, call: Call) -> Caller | None:
        """Who makes a call; None where the call has no credentials of this kind.

        Raises:
            StageError: UNAUTHENTICATED where the credentials are wrong; UNAVAILABLE where that
                cannot be known now.
        """
        ...


def bearer(call: Call) -> str:
    """The API key or token of a call; empty where it has none.

    Raises:
        StageError: UNAUTHENTICATED with CREDENTIALS_INVALID: it has several, or of another scheme.
    """
    values = call.metadata.get(AUTHORIZATION, ())
    if not values:
        return ""
    scheme, _, credential = str(values[0]).partition(" ")
    if len(values) > 1 or scheme.lower() != "bearer" or not credential:
        raise credentials_invalid(
            "The metadata `authorization` is not one `Bearer KEY`; send an API key or a token so."
        )
    return credential


def credentials_invalid(message: str) -> StageError:
    """The error for credentials that are wrong."""
    return StageError(Code.UNAUTHENTICATED, Reason.CREDENTIALS_INVALID, message)


def call_of(context: Any, server: str) -> Call:
    """What a server knows of the call that a ServicerContext is of."""
    metadata: dict[str, list[str | bytes]] = {}
    for key, value in context.invocation_metadata() or ():
        metadata.setdefault(key, []).append(value)
    return Call(
        peer=context.peer(), server=server, metadata=metadata, transport=context.auth_context()
    )
