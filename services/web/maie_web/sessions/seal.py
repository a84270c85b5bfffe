"""What a login is, and how it is sealed."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
import time
from dataclasses import asdict, dataclass, field

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from maie_runtime.vault.data_key import KEY_BYTES
from maie_runtime.vault.key_file import keys_in

log = structlog.get_logger()

NONCE_BYTES = 12
_CONTEXT = b"maie web session"


@dataclass(kw_only=True, frozen=True, slots=True)
class Session:
    """A login.

    Attributes:
        token: The API key or the token that the gateway judges.
        expires_at: When the login ends, in seconds since 1970.
    """

    token: str = field(repr=False)
    expires_at: float


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

    def close(self, session: Session) -> str:
        """A login, sealed, in characters that a cookie may have."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        text = json.dumps(asdict(session)).encode()
        sealed = nonce + self._ciphers[0].encrypt(nonce, text, _CONTEXT)
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def open(self, sealed: str) -> Session | None:
        """The login; None where it has ended, or was not sealed with a key of this mesh."""
        try:
            content = base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
        except (binascii.Error, ValueError):
            return None
        nonce, text = content[:NONCE_BYTES], content[NONCE_BYTES:]
        for cipher in self._ciphers:
            try:
                session = Session(**json.loads(cipher.decrypt(nonce, text, _CONTEXT)))
            except (InvalidTag, ValueError, TypeError):
                continue
            return session if time.time() < session.expires_at else None
        return None
