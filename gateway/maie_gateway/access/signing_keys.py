"""The public keys of an issuer of tokens (JWKS), kept and refreshed."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import structlog
from jwt import PyJWK, PyJWTError

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_runtime.background import background_tasks

log = structlog.get_logger()

FETCH_SECONDS = 5.0
MAX_BYTES = 1024 * 1024
# Of a symmetric key, everybody who can check tokens could make some.
_ASYMMETRIC = frozenset({"RSA", "EC", "OKP"})

Fetch = Callable[[], Awaitable[bytes]]


class SigningKeys:
    """The keys of an issuer, by their ids.

    A known key is there at once, whether or not the issuer answers. An unknown one makes this look
    again, at most once in `least_seconds` whatever is asked for.

    Args:
        fetch: Reads the issuer's set of keys.
        refresh_seconds: Interval between reads.
        least_seconds: The shortest interval between reads, for unknown keys and after failures.
        withdrawn: Called when the issuer has withdrawn keys.
    """

    def __init__(
        self,
        fetch: Fetch,
        refresh_seconds: float,
        least_seconds: float,
        withdrawn: Callable[[], None] = lambda: None,
    ) -> None:
        self._fetch = fetch
        self._refresh_seconds = refresh_seconds
        self._least_seconds = least_seconds
        self._withdrawn = withdrawn
        self._keys: dict[str, PyJWK] = {}
        self._begun = float("-inf")
        self._failed = True
        self._reading: asyncio.Task[None] | None = None

    async def find(self, key_id: str) -> PyJWK | None:
        """The key of an id; None where the issuer has none.

        Raises:
            StageError: UNAVAILABLE with TOKEN_KEYS_UNAVAILABLE: the key is unknown, and the issuer
                does not answer.
        """
        if key_id in self._keys:
            return self._keys[key_id]
        await self._refresh()
        if key_id not in self._keys and self._failed:
            raise StageError(
                Code.UNAVAILABLE,
                Reason.TOKEN_KEYS_UNAVAILABLE,
                "The token cannot be checked now, since its issuer does not say by which keys; try "
                "again in a while.",
                retry_after=timedelta(seconds=self._least_seconds),
            )
        return self._keys.get(key_id)

    def has(self, key_id: str) -> bool:
        """Whether the issuer has a key, as far as is known."""
        return key_id in self._keys

    @asynccontextmanager
    async def refreshing(self) -> AsyncIterator[None]:
        """Reads the keys now and then while the context lasts; waits for none."""
        async with background_tasks(self._keep_fresh()):
            yield

    async def _keep_fresh(self) -> None:
        while True:
            await self._refresh()
            await asyncio.sleep(self._least_seconds if self._failed else self._refresh_seconds)

    async def _refresh(self) -> None:
        """Reads the keys, unless that was done a moment ago; all who wait share one read."""
        if self._reading is None or self._reading.done():
            if time.monotonic() - self._begun < self._least_seconds:
                return
            self._begun = time.monotonic()
            self._reading = asyncio.create_task(self._read())
        await asyncio.shield(self._reading)

    async def _read(self) -> None:
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                found = parse_keys(await self._fetch())
        except (OSError, ValueError, aiohttp.ClientError) as error:
            self._failed = True
            # The text of an error may hold parts of what was read.
            log.warning("token_keys.not_read", error=type(error).__name__)
            return
        if found.keys() != self._keys.keys():
            log.info("token_keys.read", key_ids=sorted(found))
        gone = self._keys.keys() - found.keys()
        self._keys, self._failed = found, False
        if gone:
            self._withdrawn()


def parse_keys(content: bytes) -> dict[str, PyJWK]:
    """The keys of a JWKS that can check signatures, by their ids; others are left out.

    Raises:
        ValueError: It is no JWKS.
    """
    document: Any = json.loads(content)
    described = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(described, list):
        raise ValueError("not a JWKS: it has no list of keys")
    return {key["kid"]: parsed for key in described if (parsed := _parsed(key)) is not None}


def _parsed(key: Any) -> PyJWK | None:
    if (
        not isinstance(key, dict)
        or not isinstance(key.get("kid"), str)
        or key.get("kty") not in _ASYMMETRIC
        or key.get("use", "sig") != "sig"
    ):
        return None
    try:
        return PyJWK(key)
    except (PyJWTError, ValueError, TypeError):
        return None


def from_file(path: Path) -> Fetch:
    """Reads a JWKS from a file, again each time."""

    async def fetch() -> bytes:
        return await asyncio.to_thread(path.read_bytes)

    return fetch


def from_url(url: str) -> Fetch:
    """Reads a JWKS over HTTPS."""

    async def fetch() -> bytes:
        timeout = aiohttp.ClientTimeout(total=FETCH_SECONDS)
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
            session.get(url, allow_redirects=False) as response,
        ):
            response.raise_for_status()
            if response.status != 200:
                raise ValueError(f"HTTP status {response.status}")
            content = await response.content.read(MAX_BYTES + 1)
            while len(content) <= MAX_BYTES and (more := await response.content.read(MAX_BYTES)):
                content += more
            if len(content) > MAX_BYTES:
                raise ValueError("the answer is too large")
            return content

    return fetch
