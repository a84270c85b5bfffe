"""Models that ship with a package: files, digests, loading."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from maie_core.models import model_corrupt, model_missing
from maie_runtime.gpu.devices import Device
from maie_speech.onnx_sessions import open_session


@dataclass(kw_only=True, frozen=True, slots=True)
class ShippedModel:
    """A model that ships with a package.

    Attributes:
        package: The distribution.
        name: Its name.
        path: Its file.
        sha256: The expected SHA-256 of the file.
    """

    package: str
    name: str
    path: Path
    sha256: str


def open_model(model: ShippedModel, threads: int) -> onnxruntime.InferenceSession:
    """Verifies a model and loads it on the CPU.

    Args:
        model: The model.
        threads: The number of threads that one call uses, at least 1.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_MISSING or MODEL_CORRUPT.
    """
    session, _ = open_model_on("cpu", model, threads, variable="")
    return session


def open_model_on(
    device: Device, model: ShippedModel, threads: int, variable: str
) -> tuple[onnxruntime.InferenceSession, str]:
    """Verifies a model, loads it on a device, and says on which one it is.

    Args:
        device: The device; with `auto`, the first one that there is.
        model: The model.
        threads: The number of threads that one call uses on a CPU, at least 1.
        variable: The setting that says the device.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_MISSING, MODEL_CORRUPT or DEVICE_UNAVAILABLE.
    """
    options = onnxruntime.SessionOptions()
    options.inter_op_num_threads = 1
    options.intra_op_num_threads = threads
    # The arena would keep the largest batch's memory for good.
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4
    return open_session(read_model(model), options, device, variable)


def open_arrays(model: ShippedModel) -> NDArray[np.float32]:
    """Verifies and loads arrays.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_MISSING or MODEL_CORRUPT.
    """
    return np.load(io.BytesIO(read_model(model))).astype(np.float32)


def read_model(model: ShippedModel) -> bytes:
    """Verifies a model and returns what is in its file.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_MISSING or MODEL_CORRUPT.
    """
    try:
        content = model.path.read_bytes()
    except OSError as error:
        raise model_missing(
            f"The model {model.path} cannot be read ({error.strerror}); "
            f"install the package {model.package} again."
        ) from error
    actual = hashlib.sha256(content).hexdigest()
    if actual != model.sha256:
        raise model_corrupt(
            f"The model {model.path} hashes to {actual}, not {model.sha256}; "
            f"install the package {model.package} again."
        )
    return content
