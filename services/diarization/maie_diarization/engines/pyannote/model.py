"""Pipelines of pyannote.audio on disk: found, verified and loaded, never downloaded.

A pipeline is a folder with a `config.yaml`, which names classes, and models, which are pickles.
Either could run any code. So the one pipeline that this engine is for is the only one that it
loads, with models that are in the same folder, and torch reads tensors out of them and nothing
else.
"""

from __future__ import annotations

import pickle
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from maie_core.models import model_corrupt, model_missing, model_unsafe, verified_sha256
from maie_diarization.engines.torch_devices import prepare_environment
from maie_diarization.settings import PyannoteSettings

PACKAGE: Final = "pyannote-audio"
CONFIG: Final = "config.yaml"
VARIABLE: Final = "MAIE_DIARIZATION_PYANNOTE_"
_PIPELINE: Final = "pyannote.audio.pipelines"
_NAMES: Final = (
    f"{_PIPELINE}.SpeakerDiarization",
    f"{_PIPELINE}.speaker_diarization.SpeakerDiarization",
)
_SECTIONS: Final = {"version", "dependencies", "pipeline", "params"}
_INSIDE: Final = "$model/"
# The files of each part of a pipeline.
_PARTS: Final = {
    "segmentation": ("pytorch_model.bin",),
    "embedding": ("pytorch_model.bin",),
    "plda": ("xvec_transform.npz", "plda.npz"),
}
_HOW_TO_GET: Final = (
    "accept the conditions of pyannote/speaker-diarization-community-1 on huggingface.co, run "
    "`hf download pyannote/speaker-diarization-community-1 --local-dir DIR` and `maie models "
    f"verify --trust DIR`, and set {VARIABLE}MODEL_PATH=DIR"
)


def find_model(settings: PyannoteSettings) -> Path:
    """The pipeline's directory.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_MISSING.
    """
    path = settings.model_path
    if path is None or not (path / CONFIG).is_file():
        raise model_missing(f"There is no pipeline of pyannote at {path}; {_HOW_TO_GET}.")
    return path


def model_files(path: Path) -> list[Path]:
    """All files that the pipeline reads.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_MISSING if the pipeline's models are elsewhere,
            MODEL_CORRUPT, or MODEL_UNSAFE if it asks for what this engine does not run.
    """
    params = _parameters(path / CONFIG)
    files = [path / CONFIG]
    # The library would download what is not named.
    for part, names in _PARTS.items():
        place = params.get(part)
        if not isinstance(place, str) or not place.startswith(_INSIDE) or ".." in place:
            raise model_missing(
                f"{path / CONFIG} takes its {part} model from {place}, which is never downloaded; "
                f"put the model into {path / part} and write {part}: {_INSIDE}{part}."
            )
        files += [path / place.removeprefix(_INSIDE) / name for name in names]
    lacking = [str(file.relative_to(path)) for file in files if not file.is_file()]
    if lacking:
        raise model_missing(f"The pipeline in {path} lacks {', '.join(lacking)}; {_HOW_TO_GET}.")
    return files


def verify_model(path: Path, files: list[Path], settings: PyannoteSettings) -> str:
    """Hashes all files that the pipeline reads.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_CORRUPT.
    """
    names = [file.relative_to(path).as_posix() for file in files]
    return verified_sha256(path, names, settings.sha256)


def load_pipeline(path: Path, device: Any) -> Any:
    """Loads a pipeline onto its device. Blocks for seconds.

    Args:
        path: The pipeline's directory.
        device: A `torch.device`.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_CORRUPT, or MODEL_UNSAFE if a model is more
            than tensors.
    """
    prepare_environment()
    with warnings.catch_warnings():
        # It reads files with torchcodec, and this service gives it samples.
        warnings.filterwarnings("ignore", message=r"\s*torchcodec is not installed")
        from pyannote.audio import Pipeline
    _allow_types()
    try:
        return Pipeline.from_pretrained(path).to(device)
    except pickle.UnpicklingError as error:
        # torch says so, too, of what is no checkpoint at all.
        if broken := [file for file in path.rglob("*.bin") if not zipfile.is_zipfile(file)]:
            raise model_corrupt(
                f"{broken[0]} is incomplete, or not of torch; fetch the pipeline again."
            ) from error
        raise model_unsafe(
            f"A model of {path} is more than tensors, and could run code when it is loaded; "
            "fetch the pipeline again from its authors."
        ) from error
    # A file that is no model can raise anything from yaml, torch, lightning and the library.
    except Exception as error:
        raise model_corrupt(
            f"The pipeline in {path} cannot be loaded: {_first_line(error)}; fetch it again."
        ) from error


def _allow_types() -> None:
    """What pyannote's own checkpoints hold beside tensors: descriptions of the task."""
    import torch
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from torch.torch_version import TorchVersion

    torch.serialization.add_safe_globals([Problem, Resolution, Specifications, TorchVersion])


def _parameters(config: Path) -> Mapping[str, Any]:
    import yaml

    try:
        content = yaml.safe_load(config.read_text(encoding="utf-8"))
        strange = set(content) - _SECTIONS
        name, params = content["pipeline"]["name"], dict(content["pipeline"].get("params", {}))
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError, ValueError, AttributeError):
        raise model_corrupt(f"{config} describes no pipeline; {_HOW_TO_GET}.") from None
    if strange or name not in _NAMES:
        what = ", ".join(sorted(map(str, strange))) or name
        raise model_unsafe(
            f"{config} asks for {what}, and this engine runs {_NAMES[0]} alone; {_HOW_TO_GET}."
        )
    return params


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
