"""How logins are sealed."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
import time
from dataclasses import asdict
from typing import TypeVar

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from maie_runtime.vault.data_key import KEY_BYTES
from maie_runtime.vault.key_file import keys_in
from maie_web.sessions.session import OpenShare, PendingLogin, Session

log = structlog.get_logger()

NONCE_BYTES = 12
Sealed = TypeVar("Sealed", Session, PendingLogin, OpenShare)


class Seal:
    """Encrypts logins with AES-256-GCM, so that only who has the key reads or makes them.

    Args:
        text: Lines of 32 bytes in Base64: the first seals, and all open. Empty for a key that
            nobody else has.

    Raises:
        ValueError: A line is no key.
    """

    def __init__(self, text: str) -> None:
        if not text:
            log.info(
                "session.own_key",
                remedy="Logins end with this process, and hold at no other; set "
                "MAIE_WEB_SESSION_KEY_FILE to a file that `maie master-key` wrote.",
            )
        keys = keys_in(text) if text else [secrets.token_bytes(KEY_BYTES)]
        self._ciphers = [AESGCM(key) for key in keys]

    def close(self, content: Session | PendingLogin | OpenShare) -> str:
        """A login, sealed, in characters that a cookie may have."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        text = json.dumps(asdict(content)).encode()
        sealed = nonce + self._ciphers[0].encrypt(nonce, text, context_of(type(content)))
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def open(self, sealed: str, kind: type[Sealed]) -> Sealed | None:
        """The login; None where it has ended, is of another kind, or was not sealed here."""
        try:
            content = base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
        except (binascii.Error, ValueError):
            return None
        nonce, text = content[:NONCE_BYTES], content[NONCE_BYTES:]
        for cipher in self._ciphers:
            try:
                found = kind(**json.loads(cipher.decrypt(nonce, text, context_of(kind))))
            except (InvalidTag, ValueError, TypeError):
                continue
            return found if time.time() < found.expires_at else None
        return None


def context_of(kind: type) -> bytes:
    """What a sealed login of a kind is bound to, so that none is taken for one of another."""
    return f"maie web {kind.__name__}".encode()
