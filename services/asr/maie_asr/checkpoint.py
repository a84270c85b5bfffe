"""Tells one model from another by its files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from maie_runtime.errors import Code, StageError


def model_missing(message: str) -> StageError:
    """A model that is not where it was said to be; the message tells how to get it."""
    return StageError(Code.FAILED_PRECONDITION, "MODEL_MISSING", message)


def model_corrupt(message: str) -> StageError:
    """A model that is there and cannot be used; the message tells how to mend it."""
    return StageError(Code.FAILED_PRECONDITION, "MODEL_CORRUPT", message)


def checkpoint_sha256(root: Path, names: Iterable[str]) -> str:
    """Hashes a model's files.

    The same figure comes from `cd ROOT && LC_ALL=C sha256sum NAME... | sha256sum`
    with the names in order.

    Args:
        root: The model's directory.
        names: The files that the engine reads, relative to it.
    """
    listing = "".join(f"{_sha256(root / name)}  {name}\n" for name in sorted(names))
    return hashlib.sha256(listing.encode()).hexdigest()


def verified_sha256(root: Path, names: Iterable[str], expected: str) -> str:
    """Hashes a model's files and compares.

    Args:
        root: The model's directory.
        names: The files that the engine reads, relative to it.
        expected: What the hash must be. Empty accepts any.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_CORRUPT.
    """
    actual = checkpoint_sha256(root, names)
    if expected and actual != expected:
        raise model_corrupt(
            f"The model in {root} hashes to {actual}, not {expected}; "
            "fetch it again, or correct the sha256 setting."
        )
    return actual


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
