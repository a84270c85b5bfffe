"""Fetches a model from the hub, a mirror of it or a directory, and puts a manifest beside it."""

from __future__ import annotations

import shutil
from fnmatch import fnmatch
from pathlib import Path

from maie_cli.models.catalogue import CatalogueModel
from maie_cli.models.store import content_of
from maie_runtime.errors import Code, StageError
from maie_runtime.models import (
    Manifest,
    file_sha256,
    model_corrupt,
    model_missing,
    read_manifest,
    refuse_pickles,
    verify_directory,
    write_manifest,
)


def pull(model: CatalogueModel, models: Path, source: str = "") -> Path:
    """Fetches a model, unless it is there and whole already.

    A model appears under its name only once it is verified; what was fetched before an
    interruption is kept and taken up again.

    Args:
        model: The model.
        models: The directory of all models.
        source: The address of a mirror of the hub, or a directory that holds the model's files or
            one of its name that does; the hub itself where empty.

    Returns:
        The model's directory.

    Raises:
        StageError: UNAVAILABLE with HUB_UNREACHABLE; FAILED_PRECONDITION with MODEL_MISSING,
            MODEL_CORRUPT or MODEL_UNSAFE.
    """
    target = models / model.name
    if _is_there(target, model):
        return target.resolve()
    partial = models / f".{model.name}.{model.revision[:12]}.partial"
    partial.mkdir(parents=True, exist_ok=True)
    if source and "://" not in source:
        _copy(model, Path(source), partial)
    else:
        _download(model, partial, source or None)
    shutil.rmtree(partial / ".cache", ignore_errors=True)
    if model.torch:
        refuse_pickles(partial)
    write_manifest(partial, _manifest(model, partial))
    if target.exists():
        shutil.rmtree(target)
    partial.rename(target)
    return target.resolve()


def _is_there(target: Path, model: CatalogueModel) -> bool:
    manifest = read_manifest(target) if target.is_dir() else None
    if manifest is None or manifest.revision != model.revision:
        return False
    verify_directory(target)
    return True


def _download(model: CatalogueModel, partial: Path, endpoint: str | None) -> None:
    # Half a second of imports, which no other command needs.
    import httpx2
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        snapshot_download(
            model.repository,
            revision=model.revision,
            local_dir=partial,
            allow_patterns=list(model.files),
            endpoint=endpoint,
        )
    except (HfHubHTTPError, LocalEntryNotFoundError, httpx2.HTTPError, OSError) as error:
        raise StageError(
            Code.UNAVAILABLE,
            "HUB_UNREACHABLE",
            f"{model.repository} at {model.revision[:12]} cannot be fetched from "
            f"{endpoint or 'the hub'} ({type(error).__name__}); try again, or name a mirror or a "
            "directory with --from.",
        ) from error


def _copy(model: CatalogueModel, source: Path, partial: Path) -> None:
    root = next((path for path in (source / model.name, source) if path.is_dir()), None)
    names = [
        name
        for name in (content_of(root) if root else [])
        if any(fnmatch(name, pattern) for pattern in model.files)
    ]
    if root is None or not names:
        raise model_missing(f"There are no files of {model.name} in {source}; correct --from.")
    shutil.rmtree(partial)
    for name in names:
        (partial / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / name, partial / name)


def _manifest(model: CatalogueModel, partial: Path) -> Manifest:
    """What was fetched; refused where the weights are not the catalogue's."""
    hashes = {name: file_sha256(partial / name) for name in content_of(partial)}
    for name, expected in model.sha256.items():
        actual = hashes.get(name)
        if actual is None:
            raise model_missing(f"What was fetched of {model.name} lacks {name}; correct --from.")
        if actual != expected:
            (partial / name).unlink()
            raise model_corrupt(
                f"The file {name} of {model.name} hashes to {actual}, and the catalogue says "
                f"{expected}; it was not kept. Fetch it from another source."
            )
    if not hashes:
        raise model_missing(f"Nothing of {model.repository} is in a format that is let in.")
    return Manifest(
        model=model.name,
        repository=model.repository,
        revision=model.revision,
        license=model.license,
        files=hashes,
    )
