"""The nkeys of the parts of a mesh: one seed a file, readable by its owner alone.

A seed is the secret of an Ed25519 key pair. A part proves with it that it is itself by signing a
number that the server sends; the seed never leaves its machine. The server knows public keys only.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
from pathlib import Path

import nkeys

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason

SUFFIX = ".nk"
SEED_BYTES = 32


def seed_file(folder: Path, part: str) -> Path:
    """The file with a part's seed."""
    return folder / f"{part}{SUFFIX}"


def make_seed(folder: Path, part: str, *, anew: bool = False) -> str:
    """The public key of a part's seed, which is made where there is none.

    Args:
        folder: The folder of the seeds; made where there is none, for its owner alone.
        part: The part.
        anew: Whether to replace a seed that is there.

    Raises:
        StageError: As `public_key`.
        OSError: The file cannot be written.
    """
    path = seed_file(folder, part)
    if anew or not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_secret(path, _new_seed())
    return public_key(path)


def public_key(path: Path) -> str:
    """The public key of a seed.

    Raises:
        StageError: FAILED_PRECONDITION with BROKER_CREDENTIALS_INVALID: there is no seed of a user
            in the file, or every user of the machine may read it.
    """
    try:
        if path.stat().st_mode & stat.S_IRWXO:
            raise _invalid(path, f"can be read by every user; run: chmod 600 {path}")
        seed = path.read_bytes().strip()
    except OSError as error:
        raise _invalid(path, f"cannot be read ({error.strerror})") from error
    try:
        key: str = nkeys.from_seed(bytearray(seed)).public_key.decode()
    except (nkeys.NkeysError, ValueError) as error:
        raise _invalid(path, "holds no seed of an nkey") from error
    if not key.startswith("U"):
        raise _invalid(path, "holds the seed of another kind of nkey than a user's")
    return key


def secret_of(path: Path, use: str) -> str:
    """A secret for one use that is derived from a seed, as 32 hexadecimal digits.

    Raises:
        StageError: As `public_key`.
    """
    public_key(path)
    return hmac.new(path.read_bytes().strip(), use.encode(), hashlib.sha256).hexdigest()[:32]


def _new_seed() -> bytes:
    seed: bytes = nkeys.encode_seed(secrets.token_bytes(SEED_BYTES), nkeys.PREFIX_BYTE_USER)
    return seed


def _write_secret(path: Path, content: bytes) -> None:
    """Writes a file for its owner alone, whole or not at all."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "wb") as out:
        out.write(content + b"\n")
    fresh.replace(path)


def _invalid(path: Path, problem: str) -> StageError:
    return StageError(
        Code.FAILED_PRECONDITION,
        Reason.BROKER_CREDENTIALS_INVALID,
        f"The file {path} {problem}; `maie nats config` makes the credentials of each part.",
    )
