"""What the token of a share looks like: `maieshare_JOB_SHARE_SECRET`.

The job and the share find the stored hash, so that no secret is looked up by comparing it with
many. The secret has 256 random bits, as that of an API key, and is hashed likewise.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass, field
from uuid import UUID

PREFIX = "maieshare_"
"""What every token begins with, so that programs that look for leaked secrets find it."""
UNKNOWN = (
    "The link does not work: it is damaged, has expired, or was revoked; ask who sent it for "
    "another one."
)
"""What is said of any token that does not work, whatever the cause is."""
ID_BYTES = 6
SECRET_BYTES = 32
_TOKEN = re.compile(rf"{PREFIX}([0-9a-f]{{32}})_([0-9a-f]{{12}})_([A-Za-z0-9_-]{{43}})")
_ID = re.compile(r"[0-9a-f]{12}")


@dataclass(kw_only=True, frozen=True, slots=True)
class ShareToken:
    """The token of a share as its holder has it.

    Attributes:
        job_id: The job that the share shows.
        share_id: The share.
        secret: The part that nobody else may know; left out where the object is printed.
    """

    job_id: str
    share_id: str
    secret: str = field(repr=False)

    @property
    def text(self) -> str:
        """The whole token."""
        return f"{PREFIX}{UUID(self.job_id).hex}_{self.share_id}_{self.secret}"

    @property
    def sha256(self) -> bytes:
        """The hash of its secret, which alone is stored."""
        return hashlib.sha256(self.secret.encode()).digest()


def new_token(job_id: str) -> ShareToken:
    """The token of a new share of a job."""
    return ShareToken(
        job_id=job_id,
        share_id=secrets.token_hex(ID_BYTES),
        secret=secrets.token_urlsafe(SECRET_BYTES),
    )


def parse_token(text: str) -> ShareToken | None:
    """A token from its text; None where it is none."""
    found = _TOKEN.fullmatch(text)
    if found is None:
        return None
    return ShareToken(job_id=str(UUID(found[1])), share_id=found[2], secret=found[3])


def is_share_id(text: str) -> bool:
    """Whether a share can have this id."""
    return _ID.fullmatch(text) is not None
