"""The models that ship with this package: files, digests, loading."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from maie.common.v1 import types_pb2 as common
from maie_core.models import model_corrupt, model_missing

MODELS: Final = Path(__file__).parents[2] / "models"


@dataclass(kw_only=True, frozen=True, slots=True)
class ShippedModel:
    """A model of this package.

    Attributes:
        name: Its name.
        path: Its file.
        sha256: The expected SHA-256 of the file.
    """

    name: str
    path: Path
    sha256: str


# Both are written by tools/diarization_models.
PYANNET: Final = ShippedModel(
    name="pyannet",
    path=MODELS / "pyannet" / "pyannet.onnx",
    sha256="49250d38a8bd2c8b8966a940a4b15e28efa5d0b4a4f8a752856c4bdf8f34c24c",
)
CAMPPLUS: Final = ShippedModel(
    name="campplus",
    path=MODELS / "campplus" / "campplus.onnx",
    sha256="aa09cb5da09fee286216c166208d4d2289fffe84502d016fcae6970920268c5b",
)
# Written by bench/diarization/channels.py.
CHANNELS: Final = ShippedModel(
    name="channels",
    path=MODELS / "campplus" / "channels.npy",
    sha256="6727c46fd625937b2d0593d2d2726821a9db60ec7bab540db525d7834ff3c592",
)


def open_model(model: ShippedModel, threads: int) -> onnxruntime.InferenceSession:
    """Verifies and loads a model.

    Args:
        model: The model.
        threads: The number of threads that one call uses, at least 1.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_MISSING or MODEL_CORRUPT.
    """
    options = onnxruntime.SessionOptions()
    options.inter_op_num_threads = 1
    options.intra_op_num_threads = threads
    # The arena would keep the largest batch's memory for good.
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(
        read_model(model), providers=["CPUExecutionProvider"], sess_options=options
    )


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
            "install the package maie-diarization again."
        ) from error
    actual = hashlib.sha256(content).hexdigest()
    if actual != model.sha256:
        raise model_corrupt(
            f"The model {model.path} hashes to {actual}, not {model.sha256}; "
            "install the package maie-diarization again."
        )
    return content


def version_with(engine: str, segmentation: ShippedModel, *packages: str) -> common.EngineVersion:
    """The version of an engine that finds voices with one model and knows them by CAM++.

    Args:
        engine: Its name.
        segmentation: What finds who speaks when.
        packages: The software that runs them, installed.
    """
    digests = f"{segmentation.sha256}{CAMPPLUS.sha256}{CHANNELS.sha256}"
    return common.EngineVersion(
        engine=engine,
        library=", ".join(f"{each} {version(each)}" for each in packages),
        model_name=f"{segmentation.name}+{CAMPPLUS.name}",
        checkpoint_sha256=hashlib.sha256(digests.encode()).hexdigest(),
        compute_type="float32",
        device="cpu",
    )
