"""ChunkFormer models on disk, loaded without pickles and with all weights checked."""

from __future__ import annotations

import os
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType
from typing import Any

from maie_asr.settings import ChunkformerSettings
from maie_core.errors import Code, StageError
from maie_core.models import model_corrupt, model_missing, refuse_pickles, verified_sha256
from maie_core.reasons import Reason
from maie_runtime.worker.cores import usable_cores

WEIGHTS = "model.safetensors"
REQUIRED_FILES = ("config.yaml", "vocab.txt", WEIGHTS)
OPTIONAL_FILES = ("global_cmvn",)
PACKAGES = ("torch", "torchaudio", "transformers", "safetensors", "chunkformer")
HOW_TO_INSTALL = "install services/asr/chunkformer.txt (see docs/models.md)"
_FIELDS = 2


def require_packages() -> None:
    """Checks that the packages are installed, which are no dependencies of the service.

    Raises:
        StageError: FAILED_PRECONDITION with ENGINE_NOT_INSTALLED.
    """
    missing = [name for name in PACKAGES if not _installed(name)]
    if missing:
        raise StageError(
            Code.FAILED_PRECONDITION,
            Reason.ENGINE_NOT_INSTALLED,
            f"The engine chunkformer needs {', '.join(missing)}; {HOW_TO_INSTALL}.",
        )


def find_model(settings: ChunkformerSettings) -> Path:
    """The model's directory, with all required files and none that may run code.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_MISSING or MODEL_UNSAFE.
    """
    path = settings.model_path
    if path is None or not path.is_dir():
        raise model_missing(
            f"There is no ChunkFormer model at {path}; set MAIE_ASR_CHUNKFORMER_MODEL_PATH to "
            "one that was made as docs/models.md describes."
        )
    refuse_pickles(path)
    missing = [name for name in REQUIRED_FILES if not (path / name).is_file()]
    if missing:
        raise model_missing(f"The ChunkFormer model in {path} lacks {', '.join(missing)}.")
    return path


def verify_model(path: Path, settings: ChunkformerSettings) -> str:
    """Hashes all files that the engine reads.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_CORRUPT.
    """
    optional = [name for name in OPTIONAL_FILES if (path / name).is_file()]
    return verified_sha256(path, [*REQUIRED_FILES, *optional], settings.sha256)


def load_model(path: Path, settings: ChunkformerSettings) -> Any:
    """Loads a model onto its device. Blocks for many seconds.

    The library's own `from_pretrained` unpickles weights and leaves missing ones random; this
    function does neither.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_CORRUPT or DEVICE_UNAVAILABLE.
    """
    # The library draws a progress bar for each chunk into the log.
    os.environ.setdefault("TQDM_DISABLE", "1")
    import torch
    import yaml
    from safetensors.torch import load_file

    stand_in_for_native_torchaudio()
    from chunkformer.chunkformer_model import ChunkFormerConfig, ChunkFormerModel

    device = _device(settings)
    torch.set_num_threads(settings.cpu_threads or min(torch.get_num_threads(), usable_cores()))
    try:
        config = yaml.safe_load((path / "config.yaml").read_text(encoding="utf-8"))
        cmvn = path / "global_cmvn"
        config["cmvn_file"] = str(cmvn) if cmvn.is_file() else None
        model = ChunkFormerModel(ChunkFormerConfig.from_dict(config))
        model.model.load_state_dict(load_file(path / WEIGHTS), strict=True)
        model.char_dict = _vocabulary(path / "vocab.txt")
        return model.to(device).eval()
    # A file that is not a model can raise anything from yaml, torch and the library.
    except Exception as error:
        raise model_corrupt(
            f"The ChunkFormer model in {path} cannot be loaded: {error}; make it again."
        ) from error


def library_version() -> str:
    """The versions of the library and of torch."""
    return f"chunkformer {version('chunkformer')}, torch {version('torch')}"


def _device(settings: ChunkformerSettings) -> str:
    import torch

    if settings.device == "cpu":
        return "cpu"
    if torch.cuda.device_count() <= settings.device_index:
        raise StageError(
            Code.FAILED_PRECONDITION,
            Reason.DEVICE_UNAVAILABLE,
            f"There is no GPU with index {settings.device_index}; correct "
            "MAIE_ASR_CHUNKFORMER_DEVICE_INDEX, or set MAIE_ASR_CHUNKFORMER_DEVICE=cpu.",
        )
    return f"cuda:{settings.device_index}"


def _vocabulary(path: Path) -> dict[int, str]:
    """The tokens by their ids, from lines of "TOKEN ID"."""
    pieces: dict[int, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        fields = line.split()
        if len(fields) != _FIELDS:
            raise ValueError(f"a line of {path.name} is not PIECE ID")
        pieces[int(fields[1])] = fields[0]
    return pieces


def stand_in_for_native_torchaudio() -> None:
    """Makes torchaudio's Python code work with a torch that its native part was not built for.

    Only its filter banks are used, which are pure torch.
    """
    name = "torchaudio._extension"
    if "torchaudio" in sys.modules or name in sys.modules:
        return
    stand_in = ModuleType(name)
    stand_in._IS_TORCHAUDIO_EXT_AVAILABLE = False  # type: ignore[attr-defined]
    stand_in._IS_ALIGN_AVAILABLE = False  # type: ignore[attr-defined]
    stand_in.fail_if_no_align = lambda function: function  # type: ignore[attr-defined]
    sys.modules[name] = stand_in


def _installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True
