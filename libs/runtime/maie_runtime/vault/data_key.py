"""The data key of a job, and messages that are sealed with it.

A sealed message is `SEALED`, a nonce of 12 random bytes, and the ciphertext of AES-256-GCM (NIST SP
800-38D) with its tag. Random nonces are safe for 2^32 messages of a job. The name of the job is
authenticated, so a message that was moved to another job does not open.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from functools import cached_property

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16
# No message of the contract begins with a zero: it would be the number of a field, and there is no
# field 0. So what was stored before encryption was on is told apart.
SEALED = b"\x00maie1"


class SealError(Exception):
    """Sealed data does not open: it was changed, or sealed with another key or for another job."""


def is_sealed(data: bytes) -> bool:
    """Whether a stored message is sealed."""
    return data.startswith(SEALED)


@dataclass(frozen=True)
class DataKey:
    """The key of a job.

    Attributes:
        job_id: The job.
        secret: 32 random bytes, which no log and no error shows.
    """

    job_id: str
    secret: bytes = field(repr=False)

    @classmethod
    def new(cls, job_id: str) -> DataKey:
        """A new random key."""
        return cls(job_id, secrets.token_bytes(KEY_BYTES))

    def derived(self, use: str, salt: bytes = b"") -> bytes:
        """A key of 32 bytes for one use, by HKDF-SHA256 (RFC 5869)."""
        return HKDF(SHA256(), KEY_BYTES, salt, f"maie {use} {self.job_id}".encode()).derive(
            self.secret
        )

    def seal(self, message: bytes) -> bytes:
        """Seals a message."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return SEALED + nonce + self._cipher.encrypt(nonce, message, None)

    def open(self, sealed: bytes) -> bytes:
        """Opens a sealed message.

        Raises:
            SealError: It was not sealed with this key, or was changed since.
        """
        nonce, rest = sealed[len(SEALED) :][:NONCE_BYTES], sealed[len(SEALED) + NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, rest, None)
        except (InvalidTag, ValueError) as error:
            raise SealError from error

    def digest(self, content_sha256: str) -> str:
        """A name for content that only holders of the key can connect with it, as 64 hex digits."""
        return hmac.new(self._names, content_sha256.encode(), hashlib.sha256).hexdigest()

    @cached_property
    def _cipher(self) -> AESGCM:
        return AESGCM(self.derived("messages"))

    @cached_property
    def _names(self) -> bytes:
        return self.derived("names")
