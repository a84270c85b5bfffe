"""The master key, which is kept outside of the mesh's data: in a file, or in a key service."""

from __future__ import annotations

import hashlib
import secrets
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit
from urllib.request import url2pathname

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_core.redaction import masked_url
from maie_runtime.vault.key_file import keys_in

ENTRY_POINTS = "maie.master_keys"
ID_BYTES = 8
NONCE_BYTES = 12
RETRY_AFTER = timedelta(seconds=5)
_CONTEXT = b"maie master key"


class MasterKey(Protocol):
    """Wraps the few keys that wrap the keys of jobs. A gateway asks it at its start only.

    A key service (KMS) is a package with an entry point in the group `maie.master_keys`, whose name
    is the scheme of MAIE_GATEWAY_MASTER_KEY and whose value is called with the whole setting and
    returns an asynchronous context manager with a MasterKey.
    """

    async def wrap(self, secret: bytes) -> bytes:
        """Encrypts up to 64 bytes; what it returns names the key that it used.

        Raises:
            StageError: UNAVAILABLE with MASTER_KEY_UNAVAILABLE; FAILED_PRECONDITION with
                MASTER_KEY_INVALID, MASTER_KEY_DENIED or MASTER_KEY_DISABLED.
        """
        ...

    async def unwrap(self, wrapped: bytes) -> bytes:
        """Decrypts what `wrap` returned, also with earlier keys that were rotated out.

        Raises:
            StageError: As `wrap`; MASTER_KEY_INVALID where another key wrapped it.
        """
        ...

    def is_current(self, wrapped: bytes) -> bool:
        """Whether `wrap` would use the key that this was wrapped with."""
        ...


OpenMasterKey = Callable[[str], AbstractAsyncContextManager[MasterKey]]


class FileKey:
    """A master key in a file: a key of 32 bytes in Base64 on each line.

    The first key wraps, and all unwrap. To rotate, put a new line on top, restart the gateways, and
    remove the old line.

    Args:
        text: The content of the file.

    Raises:
        StageError: FAILED_PRECONDITION with MASTER_KEY_INVALID.
    """

    def __init__(self, text: str) -> None:
        try:
            self._keys = {_id(key): AESGCM(key) for key in keys_in(text)}
        except ValueError as error:
            raise master_key_invalid(str(error)) from error
        self._current = next(iter(self._keys))

    async def wrap(self, secret: bytes) -> bytes:
        """Encrypts with the first key."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = self._keys[self._current].encrypt(nonce, secret, _CONTEXT)
        return self._current + nonce + sealed

    async def unwrap(self, wrapped: bytes) -> bytes:
        """Decrypts with the key that the data names."""
        key, rest = self._keys.get(wrapped[:ID_BYTES]), wrapped[ID_BYTES:]
        if key is None:
            raise master_key_invalid("its file does not have the key that the jobs were made with")
        try:
            return key.decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], _CONTEXT)
        except (InvalidTag, ValueError) as error:
            raise master_key_invalid("what it wrapped has been changed") from error

    def is_current(self, wrapped: bytes) -> bool:
        """Whether the first key wrapped it."""
        return wrapped.startswith(self._current)


class Succession:
    """A master key that takes the place of one of another kind.

    Args:
        key: Wraps from now on.
        earlier: Still unwraps.
    """

    def __init__(self, key: MasterKey, earlier: MasterKey) -> None:
        self._key = key
        self._earlier = earlier

    async def wrap(self, secret: bytes) -> bytes:
        """Encrypts with the new key."""
        return await self._key.wrap(secret)

    async def unwrap(self, wrapped: bytes) -> bytes:
        """Decrypts with whichever key wrapped it."""
        try:
            return await self._key.unwrap(wrapped)
        except StageError as error:
            if error.reason != Reason.MASTER_KEY_INVALID:
                raise
            return await self._earlier.unwrap(wrapped)

    def is_current(self, wrapped: bytes) -> bool:
        """Whether the new key wrapped it."""
        return self._key.is_current(wrapped)


@asynccontextmanager
async def open_master_key(setting: str) -> AsyncIterator[MasterKey]:
    """The master key that a setting names: `file:///PATH`, or the URL of a key service.

    Raises:
        StageError: As `MasterKey`.
    """
    try:
        parts = urlsplit(setting)
    except ValueError:  # its text repeats the setting
        raise master_key_invalid(f"{masked_url(setting)} is no URL") from None
    scheme = parts.scheme
    if scheme == "file":
        yield FileKey(_read(Path(url2pathname(parts.path))))
        return
    found = next(iter(entry_points(group=ENTRY_POINTS, name=scheme)), None)
    if found is None:
        raise master_key_invalid(f"nothing is installed that serves {masked_url(setting)}")
    opener: OpenMasterKey = found.load()
    async with opener(setting) as key:
        yield key


def master_key_invalid(why: str) -> StageError:
    """The error for a master key that does not serve."""
    return StageError(
        Code.FAILED_PRECONDITION,
        Reason.MASTER_KEY_INVALID,
        f"MAIE_GATEWAY_MASTER_KEY: {why}. Name a file of `maie master-key`, as "
        "file:///PATH, or a key service; docs/encryption.md says how.",
    )


def master_key_unavailable(why: str) -> StageError:
    """The error while a key service does not answer."""
    return StageError(
        Code.UNAVAILABLE,
        Reason.MASTER_KEY_UNAVAILABLE,
        f"The key service of MAIE_GATEWAY_MASTER_KEY does not answer ({why}); try again in a few "
        "seconds.",
        retry_after=RETRY_AFTER,
    )


def _read(path: Path) -> str:
    try:
        # The group may: Kubernetes gives a Secret's files to root and to the group of the pod.
        if path.stat().st_mode & stat.S_IRWXO:
            raise master_key_invalid(f"{path} can be read by every user; run chmod 600 on it")
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise master_key_invalid(f"{path} cannot be read ({why})") from error


def _id(key: bytes) -> bytes:
    return hashlib.sha256(_CONTEXT + key).digest()[:ID_BYTES]
