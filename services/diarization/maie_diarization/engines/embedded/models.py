"""The models that ship with this package, and the versions of engines that have them."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from pathlib import Path
from typing import Final

from maie.common.v1 import types_pb2 as common
from maie_speech.shipped_models import ShippedModel

PACKAGE: Final = "maie-diarization"
MODELS: Final = Path(__file__).parents[2] / "models"

# Both are written by tools/converted_models.
PYANNET: Final = ShippedModel(
    package=PACKAGE,
    name="pyannet",
    path=MODELS / "pyannet" / "pyannet.onnx",
    sha256="49250d38a8bd2c8b8966a940a4b15e28efa5d0b4a4f8a752856c4bdf8f34c24c",
)
CAMPPLUS: Final = ShippedModel(
    package=PACKAGE,
    name="campplus",
    path=MODELS / "campplus" / "campplus.onnx",
    sha256="aa09cb5da09fee286216c166208d4d2289fffe84502d016fcae6970920268c5b",
)
# Written by bench/diarization/channels.py.
CHANNELS: Final = ShippedModel(
    package=PACKAGE,
    name="channels",
    path=MODELS / "campplus" / "channels.npy",
    sha256="6727c46fd625937b2d0593d2d2726821a9db60ec7bab540db525d7834ff3c592",
)


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
