"""Model directories, and their verification against a manifest.

`maie models pull` writes a manifest, `maie-manifest.json`, next to the weights. It names
every file's SHA-256 and the source of the files.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from maie_core.checkpoints import require_complete
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason

MANIFEST = "maie-manifest.json"
# One store for all clones and environments of a user, so that nothing is downloaded twice.
DEFAULT_MODELS_DIR = Path("~/.cache/maie/models")
# The default ASR model.
DEFAULT_WHISPER = "whisper-base"
# Loading one of these may run any code.
PICKLES = ("*.pt", "*.pth", "*.pkl", "*.pickle", "*.ckpt", "pytorch_model*.bin")

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Manifest(BaseModel):
    """The expected files of a model's directory.

    Attributes:
        model: The model's name in the catalogue, or one that the user gave it.
        repository: Its source, such as "Systran/faster-whisper-small".
        revision: The exact commit there.
        license: The licence of the weights, by its SPDX identifier.
        files: The SHA-256 of each file, by its path within the directory.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    repository: str = ""
    revision: str = ""
    license: str = ""
    files: dict[str, Sha256] = Field(min_length=1)


def model_store(directory: Path = DEFAULT_MODELS_DIR) -> Path:
    """The directory of all models, with a leading ~ replaced by the user's home."""
    # Without a home, Path.expanduser raises; this function keeps the name unchanged.
    return Path(os.path.expanduser(directory))


def model_missing(message: str) -> StageError:
    """The error for a missing model; the message says how to get it."""
    return StageError(Code.FAILED_PRECONDITION, Reason.MODEL_MISSING, message)


def model_corrupt(message: str) -> StageError:
    """The error for a damaged model; the message says how to fix it."""
    return StageError(Code.FAILED_PRECONDITION, Reason.MODEL_CORRUPT, message)


def model_unsafe(message: str) -> StageError:
    """The error for a model that could run code; the message names an alternative."""
    return StageError(Code.FAILED_PRECONDITION, Reason.MODEL_UNSAFE, message)


def checkpoint_sha256(root: Path, names: Iterable[str]) -> str:
    """Hashes a model's files.

    The result equals that of `cd ROOT && LC_ALL=C sha256sum NAME... | sha256sum`
    with the names in order.

    Args:
        root: The model's directory.
        names: The files that the engine reads, relative to it.
    """
    return _combined({name: file_sha256(root / name) for name in names})


def verified_sha256(
    root: Path, names: Iterable[str], expected: str, *, needs_proof: bool = True
) -> str:
    """Hashes a model's files and compares them with its manifest.

    Args:
        root: The model's directory.
        names: The files that the engine reads, relative to it.
        expected: The expected `checkpoint_sha256`; empty to check only the manifest.
        needs_proof: Whether to refuse a model with neither manifest nor `expected`. False for
            models inside packages, which the installer has verified.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_CORRUPT, naming the file and both hashes, or
            what truncated weights lack; or MODEL_MISSING if a file of the manifest is
            missing.
    """
    manifest = read_manifest(root)
    if manifest is not None:
        _require(root, manifest)
    hashes = {name: file_sha256(root / name) for name in names}
    if manifest is not None:
        _compare(root, hashes, manifest)
    require_complete(root)
    actual = _combined(hashes)
    if expected and actual != expected:
        raise model_corrupt(
            f"The model in {root} hashes to {actual}, not {expected}; "
            "fetch it again, or correct the sha256 setting."
        )
    if needs_proof and manifest is None and not expected:
        raise model_corrupt(
            f"Nothing says what the model in {root} must hash to: it has no {MANIFEST}. Fetch it "
            f"with `maie models pull`; or, if you trust its files, run "
            f"`maie models verify --trust {root}` once."
        )
    return actual


def verify_directory(root: Path) -> Manifest:
    """Hashes all files in a manifest.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_MISSING if the manifest or a file is missing,
            and MODEL_CORRUPT if a file differs, or weights are truncated.
    """
    manifest = read_manifest(root)
    if manifest is None:
        raise model_missing(f"There is no {MANIFEST} in {root}; fetch it with `maie models pull`.")
    _require(root, manifest)
    _compare(root, {name: file_sha256(root / name) for name in manifest.files}, manifest)
    require_complete(root)
    return manifest


def read_manifest(root: Path) -> Manifest | None:
    """The model's manifest, or None.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_CORRUPT if it is invalid.
    """
    path = root / MANIFEST
    if not path.is_file():
        return None
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except ValidationError as error:
        problem = error.errors()[0]["msg"]
        raise model_corrupt(f"{path} cannot be read: {problem}; fetch the model again.") from error


def write_manifest(root: Path, manifest: Manifest) -> None:
    """Writes a model's manifest."""
    (root / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")


def refuse_pickles(root: Path) -> None:
    """Refuses a torch model with weights in pickles.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_UNSAFE.
    """
    found = sorted(path.name for pattern in PICKLES for path in root.glob(pattern))
    if found:
        raise model_unsafe(
            f"The model in {root} has {', '.join(found)}, which can run code when it is loaded; "
            "use a model in safetensors format, or convert it on a machine that you can lose."
        )


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file, as 64 lower-case hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_states(files: Sequence[Path]) -> list[tuple[int, int, int]]:
    """What differs once a file has changed, without reading it: hashing takes longer than loading.

    Args:
        files: The files, which exist.
    """
    states = (file.stat() for file in files)
    return [(state.st_ino, state.st_size, state.st_mtime_ns) for state in states]


def _require(root: Path, manifest: Manifest) -> None:
    lacking = [name for name in manifest.files if not (root / name).is_file()]
    if lacking:
        raise model_missing(f"The model in {root} lacks {', '.join(lacking)}; fetch it again.")


def _compare(root: Path, hashes: Mapping[str, str], manifest: Manifest) -> None:
    for name, actual in sorted(hashes.items()):
        expected = manifest.files.get(name)
        if expected != actual:
            must = f"its manifest says {expected}" if expected else "its manifest does not name it"
            raise model_corrupt(
                f"The file {name} in {root} hashes to {actual}, and {must}; fetch the model again."
            )


def _combined(hashes: Mapping[str, str]) -> str:
    listing = "".join(f"{digest}  {name}\n" for name, digest in sorted(hashes.items()))
    return hashlib.sha256(listing.encode()).hexdigest()
