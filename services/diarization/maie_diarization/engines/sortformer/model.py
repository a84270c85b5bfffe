"""Sortformer models on disk: found, verified and loaded, never downloaded."""

from __future__ import annotations

import logging
import pickle
import random
import zipfile
from pathlib import Path
from typing import Any, Final

from maie_core.errors import StageError
from maie_core.models import model_corrupt, model_missing, model_unsafe, verified_sha256
from maie_diarization.engines.sortformer.archive import WEIGHTS, open_member, read_config
from maie_diarization.engines.torch_devices import prepare_environment
from maie_diarization.settings import SortformerSettings

PACKAGE: Final = "nemo-toolkit"
VARIABLE: Final = "MAIE_DIARIZATION_SORTFORMER_"
_HOW_TO_GET: Final = (
    "run `hf download nvidia/diar_streaming_sortformer_4spk-v2.1 --local-dir DIR` and `maie models "
    f"verify --trust DIR`, and set {VARIABLE}MODEL_PATH=DIR"
)
# In frames of 80 ms: how much is heard at a time, with what follows it, and what is kept of what
# was heard before. The most exact of the model card's settings, for recordings.
_STREAMING: Final = {
    "chunk_len": 340,
    "chunk_right_context": 40,
    "fifo_len": 40,
    "spkcache_update_period": 300,
    "spkcache_len": 188,
}


def find_model(settings: SortformerSettings) -> Path:
    """The model's file.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_MISSING.
    """
    path = settings.model_path
    found = sorted(path.glob("*.nemo")) if path is not None else []
    if len(found) != 1:
        many = ", ".join(file.name for file in found) or "none"
        raise model_missing(f"{path} must have one .nemo file and has {many}; {_HOW_TO_GET}.")
    return found[0]


def verify_model(file: Path, settings: SortformerSettings) -> str:
    """Hashes the model's file.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_CORRUPT or MODEL_MISSING.
    """
    return verified_sha256(file.parent, [file.name], settings.sha256)


def load_model(file: Path, device: Any) -> Any:
    """Loads a model onto its device. Blocks for many seconds.

    NeMo's own `restore_from` makes what the file's configuration names, and reads its weights as
    the environment says; this function does neither.

    Args:
        file: The model's file.
        device: A `torch.device`.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_CORRUPT, or MODEL_UNSAFE if the file asks for
            other classes, or its weights are more than tensors.
    """
    prepare_environment()
    config = read_config(file)
    import torch
    from nemo.collections.asr.models import SortformerEncLabelModel
    from nemo.utils import logging as messages
    from omegaconf import OmegaConf

    messages.setLevel(logging.ERROR)
    # The library seeds what the whole process draws from.
    chance = random.getstate()
    try:
        with open_member(file, WEIGHTS) as weights:
            # Of anything but torch's own format it would say that it is unsafe.
            if not zipfile.is_zipfile(weights):
                raise _corrupt(file, f"its {WEIGHTS} is incomplete, or not of torch")
            weights.seek(0)
            tensors = torch.load(weights, map_location="cpu", weights_only=True)
        model = SortformerEncLabelModel(cfg=OmegaConf.create(config))
        model.load_state_dict(tensors, strict=True)
        for name, frames in _STREAMING.items():
            setattr(model.sortformer_modules, name, frames)
        return model.to(device).eval()
    except StageError:
        raise
    except pickle.UnpicklingError as error:
        raise model_unsafe(
            f"The weights of {file} are more than tensors, and could run code when they are "
            "loaded; fetch the model again from its authors."
        ) from error
    # A file that is no model can raise anything from torch, hydra and the library.
    except Exception as error:
        raise _corrupt(file, _first_line(error)) from error
    finally:
        random.setstate(chance)


def _corrupt(file: Path, why: str) -> StageError:
    return model_corrupt(f"The model {file} cannot be loaded: {why}; fetch it again.")


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
