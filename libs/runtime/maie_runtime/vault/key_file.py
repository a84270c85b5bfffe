"""The file of a master key: a key of 32 random bytes in Base64 on each line."""

from __future__ import annotations

import base64
import binascii
import secrets

from maie_runtime.vault.data_key import KEY_BYTES


def new_line() -> str:
    """A line with a new random key."""
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode() + "\n"


def keys_in(text: str) -> list[bytes]:
    """The keys of a file, in its order.

    Raises:
        ValueError: A line is no key.
    """
    keys = [_key(line) for line in text.split()]
    if not keys:
        raise ValueError("its file has no key")
    return keys


def _key(line: str) -> bytes:
    try:
        key = base64.b64decode(line, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError("a line of its file is not 32 bytes in Base64")
    return key
