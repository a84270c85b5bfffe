"""A `.nemo` file: a tar with a configuration, which names classes, and weights, which are a pickle.

Either could run any code. So the classes of Sortformer are the only ones that are ever made, what
is for training is not read, and nothing is unpacked onto a disk.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final

from maie_core.errors import StageError
from maie_core.models import model_corrupt, model_unsafe

WEIGHTS: Final = "model_weights.ckpt"
_CONFIG: Final = "model_config.yaml"
# A configuration has 10 kB.
_LARGEST_CONFIG: Final = 1_000_000
_NEMO: Final = "nemo.collections.asr."
_MODEL: Final = "SortformerEncLabelModel"
# The parts of the model and their classes.
_PARTS: Final = {
    "preprocessor": f"{_NEMO}modules.AudioToMelSpectrogramPreprocessor",
    "encoder": f"{_NEMO}modules.ConformerEncoder",
    "sortformer_modules": f"{_NEMO}modules.sortformer_modules.SortformerModules",
    "transformer_encoder": f"{_NEMO}modules.transformer.transformer_encoders.TransformerEncoder",
}
# What parts may refer to.
_VALUES: Final = ("sample_rate", "max_num_of_spks", "model_defaults")
# The library makes one, and only training uses it.
_LOSS: Final = {"_target_": f"{_NEMO}losses.bce_loss.BCELoss"}
# What names a class, in one or another version of hydra and NeMo.
_TARGET: Final = "_target_"
_NAMES_OF_CLASSES: Final = {"target", "cls"}


@contextmanager
def open_member(path: Path, name: str) -> Iterator[IO[bytes]]:
    """Opens a file of an archive, in which it can be sought.

    Args:
        path: The archive.
        name: The file's name.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_CORRUPT.
    """
    with path.open("rb") as archive:
        file = _member(archive, name)
        if file is None:
            raise model_corrupt(f"{path} is no archive of NeMo with one {name}; fetch it again.")
        yield file


def read_config(path: Path) -> dict[str, Any]:
    """What an archive says of the model's architecture.

    Returns:
        The model's configuration. Nothing in it is the archive's choice but numbers and options.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_CORRUPT, or MODEL_UNSAFE if it asks for what
            this engine does not run.
    """
    import yaml

    try:
        with open_member(path, _CONFIG) as file:
            content = yaml.safe_load(file.read(_LARGEST_CONFIG))
        _require_class(path, content["target"], _MODEL)
        parts = {name: _part(path, content[name], ours) for name, ours in _PARTS.items()}
        values = {name: content[name] for name in _VALUES if name in content}
        _require_plain(path, values)
    except StageError:
        raise
    # It can be anything.
    except Exception as error:
        raise model_corrupt(
            f"The {_CONFIG} of {path} describes no Sortformer; fetch it again."
        ) from error
    return {**values, **parts, "loss": dict(_LOSS), "streaming_mode": True}


def _member(archive: IO[bytes], name: str) -> IO[bytes] | None:
    """The one file of this name in an archive; None where it is no archive, or has not one."""
    try:
        # Without compression, as NeMo has written them since its version 1.7.
        with tarfile.open(fileobj=archive, mode="r:") as files:
            (file,) = (
                files.extractfile(each)
                for each in files
                if each.isfile() and PurePosixPath(each.name) == PurePosixPath(name)
            )
            return file
    except (tarfile.TarError, ValueError):
        return None


def _part(path: Path, content: Mapping[str, Any], ours: str) -> dict[str, Any]:
    """A part of the model; its class is ours."""
    _require_class(path, content[_TARGET], ours.rpartition(".")[2])
    options = {name: value for name, value in content.items() if name != _TARGET}
    _require_plain(path, options)
    return {_TARGET: ours, **options}


def _require_class(path: Path, named: object, ours: str) -> None:
    if not (isinstance(named, str) and named.startswith(_NEMO) and named.endswith(f".{ours}")):
        raise _unsafe(path, named)


def _require_plain(path: Path, value: object) -> None:
    """Refuses what hydra and OmegaConf would run: further classes, and functions within texts."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if str(name).startswith("_") or name in _NAMES_OF_CLASSES:
                raise _unsafe(path, f"{name}: {inner}")
            _require_plain(path, inner)
    elif isinstance(value, list):
        for inner in value:
            _require_plain(path, inner)
    elif isinstance(value, str) and "${" in value and ":" in value:
        raise _unsafe(path, value)


def _unsafe(path: Path, what: object) -> StageError:
    return model_unsafe(
        f"The {_CONFIG} of {path} asks for {what}, and this engine runs {_MODEL} and its own parts "
        "alone; fetch the model again from its authors."
    )
