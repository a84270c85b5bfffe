"""The model of Distill-MOS, as `distillmos` 0.9.1 has it, with 16-bit weights."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Final

from maie.common.v1 import types_pb2 as common
from maie_speech.shipped_models import ShippedModel

# Written by tools/converted_models.
DISTILLMOS: Final = ShippedModel(
    package="maie-quality",
    name="distillmos",
    path=Path(__file__).parents[2] / "models" / "distillmos" / "distillmos.onnx",
    sha256="fc806e98f5dfd1649cf0e590179bbd2405961b5c3256e77c7fc3a5e8652b379f",
)


def distillmos_version(device: str) -> common.EngineVersion:
    """The version of the engine, which runs on a device."""
    return common.EngineVersion(
        engine="distillmos",
        library=f"onnxruntime {version('onnxruntime')}",
        model_name="Distill-MOS 7",
        checkpoint_sha256=DISTILLMOS.sha256,
        compute_type="float32",
        device=device,
    )
