"""What an API key looks like: `maie_ID_SECRET`.

The id finds the key, so that no secret is looked up by comparing it with many. The secret has 256
random bits. Nobody can guess it or try all, so a plain SHA-256 of it keeps it secret at rest; slow
hashes such as Argon2 are for passwords that people choose, and would cost each call milliseconds.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass, field

PREFIX = "maie_"
"""What every API key begins with, so that programs that look for leaked keys find it."""
BOOTSTRAP_ID = "bootstrap"
ID_BYTES = 6
SECRET_BYTES = 32
_KEY = re.compile(rf"{PREFIX}({BOOTSTRAP_ID}|[0-9a-f]{{12}})_([A-Za-z0-9_-]{{43}})")
_ID = re.compile(r"[0-9a-f]{12}")


@dataclass(kw_only=True, frozen=True, slots=True)
class KeyText:
    """An API key as its holder has it.

    Attributes:
        key_id: The part that names it.
        secret: The part that nobody else may know; left out where the object is printed.
    """

    key_id: str
    secret: str = field(repr=False)

    @property
    def text(self) -> str:
        """The whole key."""
        return f"{PREFIX}{self.key_id}_{self.secret}"

    @property
    def sha256(self) -> bytes:
        """The hash of its secret, which alone is stored."""
        return hashlib.sha256(self.secret.encode()).digest()


def new_key(key_id: str = "") -> KeyText:
    """A new key, or another secret for the key of this id."""
    return KeyText(
        key_id=key_id or secrets.token_hex(ID_BYTES), secret=secrets.token_urlsafe(SECRET_BYTES)
    )


def parse_key(text: str) -> KeyText | None:
    """A key from its text; None where it is none."""
    found = _KEY.fullmatch(text)
    return KeyText(key_id=found[1], secret=found[2]) if found else None


def is_key_id(text: str) -> bool:
    """Whether a stored key can have this id."""
    return _ID.fullmatch(text) is not None
