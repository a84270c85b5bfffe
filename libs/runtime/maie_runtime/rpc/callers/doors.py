"""Who may call a server at all: one function that says by what credentials."""

from __future__ import annotations

from collections.abc import Sequence

from maie_runtime.rpc.callers.authenticator import Authenticator
from maie_runtime.rpc.callers.local_user import LocalUser, is_loopback
from maie_runtime.rpc.callers.scopes import undeclared


def doors(
    listen: str, credentials: Sequence[Authenticator] = (), *, local_user: bool = True
) -> tuple[Authenticator, ...]:
    """By what a server on an address knows its callers, in the order in which they are asked.

    Args:
        listen: The HOST:PORT that it listens on.
        credentials: By what else: keys, tokens, certificates.
        local_user: Whether the user who runs it needs none of these on a loopback address.

    Raises:
        RuntimeError: Nobody could call it.
    """
    local = (LocalUser(),) if local_user and is_loopback(listen) else ()
    found = (*credentials, *local)
    if not found:
        raise RuntimeError(
            f"Nobody could call a server on {listen}: it is not a loopback address, and nothing "
            "says who may. Listen on 127.0.0.1, or give it credentials as docs/access.md says."
        )
    return found


def check_declared(services: Sequence[str]) -> None:
    """Refuses to serve an RPC of which nobody said who may call it.

    Raises:
        RuntimeError: The table of scopes.py lacks one.
    """
    if missing := undeclared(services):
        raise RuntimeError(
            f"{', '.join(missing)} has no scope; declare it in maie_runtime/rpc/callers/scopes.py."
        )
