"""Where a gateway may connect to for clients: the check of a URL and of its addresses."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from ipaddress import ip_address
from urllib.parse import urlsplit

from yarl import URL

from maie_core.errors import StageError, invalid
from maie_core.limits import MAX_WEBHOOK_URL_CHARACTERS
from maie_core.reasons import Reason
from maie_gateway.egress.addresses import Network, may_be_reached

# Names that resolve slowly block a thread each.
RESOLVER_THREADS = 8

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Gives all addresses of a host and port; raises OSError where there are none."""


@contextmanager
def open_guard(
    allowed: Sequence[Network], max_characters: int = MAX_WEBHOOK_URL_CHARACTERS
) -> Iterator[UrlGuard]:
    """A guard that asks the system's resolver, in threads of its own.

    Args:
        allowed: Networks that may be reached though they are not public.
        max_characters: How long a URL may be.
    """
    executor = ThreadPoolExecutor(RESOLVER_THREADS, thread_name_prefix="egress-dns")
    try:
        yield UrlGuard(system_resolver(executor), allowed, max_characters)
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


def system_resolver(executor: Executor) -> Resolve:
    """The system's resolver; it blocks the executor's threads, never the loop."""

    async def resolve(host: str, port: int) -> Sequence[str]:
        found = await asyncio.get_running_loop().run_in_executor(
            executor, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        )
        return [str(info[4][0]) for info in found]

    return resolve


class UrlGuard:
    """Refuses URLs that a gateway must not connect to on behalf of clients.

    Connect to the addresses that `addresses` returns: resolving the name again
    may give others (DNS rebinding).

    Args:
        resolve: Gives the addresses of a host.
        allowed: Networks that may be reached though they are not public.
        max_characters: How long a URL may be.
    """

    def __init__(
        self,
        resolve: Resolve,
        allowed: Sequence[Network] = (),
        max_characters: int = MAX_WEBHOOK_URL_CHARACTERS,
    ) -> None:
        self._resolve = resolve
        self._allowed = tuple(allowed)
        self._max_characters = max_characters

    def parse(self, url: str) -> URL:
        """Parses a URL; refuses a host that is an address which must not be reached.

        Raises:
            StageError: INVALID_ARGUMENT with URI_NOT_ALLOWED.
        """
        parsed = _parse(url, self._max_characters)
        host = parsed.host or ""
        if _is_address(host) and not may_be_reached(host, self._allowed):
            raise _refused("its address is not public")
        return parsed

    async def addresses(self, host: str, port: int) -> list[str]:
        """Resolves a host; refuses it unless all of its addresses may be reached.

        Raises:
            StageError: INVALID_ARGUMENT with URI_NOT_ALLOWED.
            OSError: The name does not resolve.
        """
        found = list(dict.fromkeys(await self._resolve(host, port)))
        if not found:
            raise OSError("the name has no address")
        if not all(may_be_reached(address, self._allowed) for address in found):
            raise _refused("its name resolves to an address that is not public")
        return found

    def may_connect(self, address: str) -> bool:
        """Whether a socket may be opened to an address: the final check."""
        return may_be_reached(address, self._allowed)


def _parse(url: str, max_characters: int) -> URL:
    if len(url) > max_characters or any(ord(c) <= ord(" ") or ord(c) == 0x7F for c in url):
        raise _refused(f"it is longer than {max_characters} characters or has spaces in it")
    try:
        parsed, netloc = URL(url), urlsplit(url).netloc
    # yarl (1.25.1) fails with the second where brackets come before a user name.
    except (ValueError, IndexError) as error:
        raise _refused("it is no URL") from error
    if parsed.scheme not in ("http", "https"):
        raise _refused("it is neither http nor https")
    if "@" in netloc:
        raise _refused("it contains a user name or password")
    if not parsed.host or not parsed.port:
        raise _refused("it names no host or port")
    return parsed


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _refused(why: str) -> StageError:
    # The URL itself stays out: its path or query may hold a key.
    return invalid(Reason.URI_NOT_ALLOWED, f"The URL is refused because {why}; use another.")
