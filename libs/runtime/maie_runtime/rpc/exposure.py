"""Where a server may listen."""

from __future__ import annotations

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_runtime.rpc.callers.local_user import is_loopback


def check_exposure(listen: str, *, has_tls: bool, remedy: str) -> None:
    """Refuses an address that other machines reach, unless it is over TLS.

    Args:
        listen: HOST:PORT.
        has_tls: Whether the server has a certificate.
        remedy: How to get one: the rest of the sentence.

    Raises:
        StageError: FAILED_PRECONDITION with TLS_REQUIRED.
    """
    if has_tls or is_loopback(listen):
        return
    raise StageError(
        Code.FAILED_PRECONDITION,
        Reason.TLS_REQUIRED,
        f"Other machines reach {listen}, and there is no TLS: {remedy}, or listen on 127.0.0.1.",
    )
