"""Where engines of torch run. Torch itself is imported by those who call this."""

from __future__ import annotations

import gc
import os
from typing import Any, Final

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_diarization.settings import TorchSettings

_ENVIRONMENT: Final = {
    # Nothing is downloaded, and nothing reported to anybody.
    "HF_HUB_OFFLINE": "1",
    "PYANNOTE_METRICS_ENABLED": "0",
    "WANDB_MODE": "disabled",
    # Both libraries ask torch to run whatever a checkpoint says. With this, it reads tensors and
    # types that were allowed by name, and refuses everything else.
    "TORCH_FORCE_WEIGHTS_ONLY_LOAD": "1",
}


def prepare_environment() -> None:
    """Sets what torch and its libraries read from the environment, whatever is set there."""
    os.environ.update(_ENVIRONMENT)


def open_device(settings: TorchSettings, threads: int, variable: str) -> Any:
    """The device that the settings name, as a `torch.device`.

    Args:
        settings: Name it.
        threads: The threads of one call on a CPU.
        variable: What the names of the settings' variables begin with.

    Raises:
        StageError: FAILED_PRECONDITION with DEVICE_UNAVAILABLE.
    """
    import torch

    if settings.device == "cpu":
        torch.set_num_threads(threads)
        return torch.device("cpu")
    if torch.cuda.device_count() <= settings.device_index:
        raise StageError(
            Code.FAILED_PRECONDITION,
            Reason.DEVICE_UNAVAILABLE,
            f"There is no GPU with index {settings.device_index}; correct "
            f"{variable}DEVICE_INDEX, or set {variable}DEVICE=cpu.",
        )
    return torch.device("cuda", settings.device_index)


def release_memory() -> None:
    """Frees what nobody holds any more, in main memory and in the GPU."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
