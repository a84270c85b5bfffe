"""Model directories on this machine."""

from __future__ import annotations

from pathlib import Path

from maie_core.checkpoints import require_complete
from maie_core.models import MANIFEST, Manifest, file_sha256, model_missing, write_manifest


def model_directory(models: Path, name: str) -> Path:
    """The directory of a pulled model.

    Args:
        models: The directory of all models.
        name: A name in the catalogue, or a path.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_MISSING.
    """
    for path in (models / name, Path(name)):
        if path.is_dir():
            return path.resolve()
    raise model_missing(f"There is no model {name!r} in {models}; run `maie models pull {name}`.")


def trust(root: Path) -> Manifest:
    """Writes a manifest with the current hashes of a model's files.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_MISSING if there are no files, or MODEL_CORRUPT
            if weights are shorter than their header states.
    """
    names = content_of(root)
    if not names:
        raise model_missing(f"There are no files in {root}.")
    require_complete(root)
    hashes = {name: file_sha256(root / name) for name in names}
    manifest = Manifest(model=root.resolve().name, files=hashes)
    write_manifest(root, manifest)
    return manifest


def content_of(root: Path) -> list[str]:
    """The files of a model, relative to its directory; without manifest, pages and hidden ones."""
    paths = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return sorted(
        path.as_posix()
        for path in paths
        if path.name != MANIFEST
        and path.suffix != ".md"
        and not any(part.startswith(".") for part in path.parts)
    )
