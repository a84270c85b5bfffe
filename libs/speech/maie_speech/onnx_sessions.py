"""Sessions of onnxruntime on the device that the settings say."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import onnxruntime

from maie_runtime.gpu.devices import Device, candidates, unavailable

PROVIDERS: Final = {
    "cuda": "CUDAExecutionProvider",
    "mps": "CoreMLExecutionProvider",
    "cpu": "CPUExecutionProvider",
}


def open_session(
    model: bytes | Path, options: onnxruntime.SessionOptions, device: Device, variable: str
) -> tuple[onnxruntime.InferenceSession, str]:
    """Loads a model, and says on which device it is. Blocks.

    Args:
        model: What is in its file, or the file.
        options: How it runs.
        device: Where; with `auto`, on the first device that there is.
        variable: The setting that says so.

    Raises:
        StageError: FAILED_PRECONDITION with DEVICE_UNAVAILABLE.
        Exception: Of onnxruntime's own: it cannot read the model.
    """
    available = onnxruntime.get_available_providers()
    present = [name for name, provider in PROVIDERS.items() if provider in available]
    source = str(model) if isinstance(model, Path) else model
    for name in candidates(device, present, variable):
        session = onnxruntime.InferenceSession(source, options, providers=[PROVIDERS[name]])
        # It goes on with the CPU, and says nothing, where the GPU's libraries are missing.
        if session.get_providers()[0] == PROVIDERS[name]:
            return session, name
    raise unavailable(device, variable)
