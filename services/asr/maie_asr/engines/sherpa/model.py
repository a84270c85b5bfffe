"""Models of sherpa-onnx on disk: found, told apart and verified, never downloaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from maie.common.v1 import types_pb2 as common
from maie_asr.engines.sherpa.families import FAMILIES, Family
from maie_asr.engines.sherpa.metadata import read_metadata
from maie_asr.settings import SherpaSettings
from maie_core.errors import Code, StageError
from maie_core.models import model_corrupt, model_missing, verified_sha256
from maie_core.reasons import Reason
from maie_runtime.worker import engines

PACKAGE = "sherpa-onnx"
HOW_TO_GET = "docs/models.md says where models come from and which files they have"
BPE_VOCABULARY = "bpe.vocab"
# Weights that an ONNX file keeps in files of their own.
EXTERNAL_WEIGHTS = ("*.weights", "*.data", "*.onnx_data")
INT8 = ".int8."


@dataclass(kw_only=True, frozen=True, slots=True)
class Model:
    """A model that was found.

    Attributes:
        path: Its directory.
        family: What it is.
        files: Its files and folders by the constructor's argument.
        metadata: The metadata of its first file.
    """

    path: Path
    family: Family
    files: Mapping[str, Path]
    metadata: Mapping[str, str]

    @property
    def bpe_vocabulary(self) -> Path | None:
        """What hotwords are divided into tokens by."""
        path = self.path / BPE_VOCABULARY
        return path if path.is_file() else None


def require_package() -> None:
    """Checks that the library is installed, which is an extra of the service.

    Raises:
        StageError: FAILED_PRECONDITION with ENGINE_NOT_INSTALLED.
    """
    remedy = "install maie-asr[sherpa] (see docs/models.md)"
    engines.require_package(PACKAGE, by="The engine sherpa", remedy=remedy)


def find_model(settings: SherpaSettings) -> Model:
    """The model that the settings name, with all its files.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_MISSING, MODEL_CORRUPT or
            MODEL_SETTINGS_INVALID.
    """
    path = settings.model_path
    if path is None or not path.is_dir():
        raise model_missing(
            f"There is no sherpa-onnx model at {path}; set MAIE_ASR_SHERPA_MODEL_PATH. "
            f"{HOW_TO_GET[0].upper()}{HOW_TO_GET[1:]}."
        )
    for family in _wanted(settings):
        files = {argument: _matching(path, each) for argument, each in family.files.items()}
        found = {argument: file for argument, file in files.items() if file is not None}
        if len(found) < len(files):
            if settings.family:
                lacking = ", ".join(family.files[each] for each in files.keys() - found.keys())
                raise model_missing(f"The model in {path} lacks {lacking}; {HOW_TO_GET}.")
            continue
        metadata = _metadata(next(iter(found.values())))
        if settings.family or family.fits(metadata):
            return Model(path=path, family=family, files=found, metadata=metadata)
    raise model_missing(
        f"The files in {path} are no model that the engine sherpa knows; {HOW_TO_GET}. If it is "
        "one, name its kind in MAIE_ASR_SHERPA_FAMILY."
    )


def _wanted(settings: SherpaSettings) -> Sequence[Family]:
    """The families that the settings leave."""
    wanted = [each for each in FAMILIES if settings.family in ("", each.name)]
    if not wanted:
        raise StageError(
            Code.FAILED_PRECONDITION,
            Reason.MODEL_SETTINGS_INVALID,
            f"There is no family {settings.family!r} of models; set MAIE_ASR_SHERPA_FAMILY to one "
            f"of {', '.join(each.name for each in FAMILIES)}, or leave it unset.",
        )
    return wanted


def verify_model(model: Model, settings: SherpaSettings) -> str:
    """Hashes all files that the library may read.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_CORRUPT.
    """
    names = sorted({str(file.relative_to(model.path)) for file in _files(model)})
    return verified_sha256(model.path, names, settings.sha256)


def describe(model: Model, settings: SherpaSettings, sha256: str) -> common.EngineVersion:
    """The exact software and model, without parameters."""
    names = [file.name for file in model.files.values()]
    return common.EngineVersion(
        engine="sherpa",
        library=f"{PACKAGE} {version(PACKAGE)}",
        model_name=settings.variant or model.path.resolve().name,
        model_path=str(model.path),
        checkpoint_sha256=sha256,
        compute_type="int8" if any(INT8 in name for name in names) else "float32",
        device="cpu",
    )


def _matching(path: Path, pattern: str) -> Path | None:
    """The one file or folder of a pattern; of several, the one with 8-bit weights.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_CORRUPT if several are left.
    """
    found = sorted(path.glob(pattern))
    small = [each for each in found if INT8 in each.name]
    left = small or found
    if len(left) > 1:
        raise model_corrupt(
            f"{path} has {', '.join(each.name for each in left)}, and only one of them can be "
            "read; move the others away."
        )
    return left[0] if left else None


def _metadata(file: Path) -> dict[str, str]:
    if file.suffix != ".onnx":
        return {}
    try:
        return read_metadata(file)
    except ValueError as error:
        raise model_corrupt(f"{file} cannot be read: {error}; fetch it again.") from error


def _files(model: Model) -> Iterator[Path]:
    for file in model.files.values():
        if file.is_dir():
            yield from (each for each in file.rglob("*") if each.is_file())
        else:
            yield file
    if model.bpe_vocabulary:
        yield model.bpe_vocabulary
    for pattern in EXTERNAL_WEIGHTS:
        yield from model.path.glob(pattern)
