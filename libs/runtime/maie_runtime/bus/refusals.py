"""What NATS refuses to this part's credential, reported where it was tried and not as a time-out.

The server answers a publish or a subscription that is not allowed with an error of the connection,
which names the subject and not the request. So the requests that wait are found by their subject.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_runtime.bus.tls_context import TlsContext

log = structlog.get_logger()

# The server's words. nats-py gives them in lower case, the subject included.
_REFUSAL = re.compile(r'permissions violation for (publish|subscription) to "([^"]+)"')
_NOT_LET_IN = re.compile(
    r"authorization violation|authentication (?:revoked|expired|timeout)|maximum connections",
    re.IGNORECASE,
)
HINT = (
    "set MAIE_NATS_NKEY_FILE to this part's own seed, or make the configuration of NATS again with "
    "`maie nats config`"
)


class RefusedError(NatsError):
    """NATS does not allow this part to use a subject.

    Attributes:
        subject: The subject.
    """

    def __init__(self, subject: str) -> None:
        super().__init__(f"NATS does not allow this part to use {subject}")
        self.subject = subject


def broker_refused(subject: str) -> StageError:
    """The error for callers where NATS refuses a subject."""
    return StageError(
        Code.FAILED_PRECONDITION,
        Reason.BROKER_REFUSED,
        f"NATS does not allow this part of the mesh to use {subject}: {HINT}.",
    )


def not_let_in() -> StageError:
    """The error where NATS refuses the connection."""
    return StageError(
        Code.FAILED_PRECONDITION,
        Reason.BROKER_REFUSED,
        f"NATS refuses the credentials of this part of the mesh: {HINT}.",
    )


def not_trusted(servers: Sequence[str], error: ssl.SSLCertVerificationError) -> StageError:
    """The error where the certificate of NATS is not of the CA, or of another name."""
    return StageError(
        Code.FAILED_PRECONDITION,
        Reason.BROKER_CREDENTIALS_INVALID,
        f"The certificate of NATS at {', '.join(servers)} is not to be trusted "
        f"({error.verify_message}); check MAIE_NATS_CA_FILE and MAIE_NATS_URL.",
    )


def is_not_let_in(error: Exception) -> bool:
    """Whether the server refused the connection, or ended it for want of a credential."""
    return bool(_NOT_LET_IN.search(str(error)))


class ReportingClient(Client):
    """A connection whose requests end at once where the server refuses them."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: defaultdict[str, set[asyncio.Timeout]] = defaultdict(set)

    @property
    def ssl_context(self) -> ssl.SSLContext:
        """The TLS context of the next connection, of which nats-py asks each time."""
        tls = self.options.get("tls")
        return tls.current() if isinstance(tls, TlsContext) else super().ssl_context

    async def _attempt_reconnect(self) -> None:
        # nats-py closes the lost connection first, and over TLS that waits half a minute for the
        # farewell of a server that is frozen or cut off.
        writer = getattr(self._transport, "_io_writer", None)
        if writer is not None:
            writer.transport.abort()
        await super()._attempt_reconnect()

    async def close(self) -> None:
        """Closes the connection.

        What waits for a new connection is dropped: nats-py would write it to the former one, which
        fails once that was closed, and leaves tasks behind.
        """
        if not self.is_connected:
            self._pending.clear()
            self._pending_data_size = 0
        await super().close()

    async def request(self, subject: str, *args: Any, **options: Any) -> Msg:
        """Sends a request and waits for its answer, as nats-py does.

        Raises:
            RefusedError: The server does not allow the subject.
        """
        async with self.reporting(subject):
            return await super().request(subject, *args, **options)

    @asynccontextmanager
    async def reporting(self, subject: str) -> AsyncIterator[None]:
        """Ends what happens within the context where the server refuses the subject.

        Raises:
            RefusedError: It does.
        """
        waiting = self._waiting[subject.lower()]
        scope = asyncio.timeout(None)
        try:
            async with scope:
                waiting.add(scope)
                yield
        except TimeoutError:
            if scope.expired():
                raise RefusedError(subject) from None
            raise
        finally:
            waiting.discard(scope)
            if not waiting:
                self._waiting.pop(subject.lower(), None)

    def report(self, error: Exception) -> bool:
        """Whether an error of the connection is a refusal; ends what waits on its subject."""
        found = _REFUSAL.search(str(error))
        if found is None:
            return False
        log.error("broker.refused", use=found[1], subject=found[2], hint=HINT)
        now = asyncio.get_running_loop().time()
        for scope in tuple(self._waiting.get(found[2], ())):
            scope.reschedule(now)
        return True
