"""The models of DNSMOS, as the wheel speechmos 0.0.1.1 has them."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from pathlib import Path
from typing import Final

from maie.common.v1 import types_pb2 as common
from maie_speech.shipped_models import ShippedModel

PACKAGE: Final = "maie-quality"
_MODELS: Final = Path(__file__).parents[2] / "models" / "dnsmos"

P835: Final = ShippedModel(
    package=PACKAGE,
    name="sig_bak_ovr",
    path=_MODELS / "sig_bak_ovr.onnx",
    sha256="269fbebdb513aa23cddfbb593542ecc540284a91849ac50516870e1ac78f6edd",
)
# speechmos calls it model_v8.onnx.
P808: Final = ShippedModel(
    package=PACKAGE,
    name="p808",
    path=_MODELS / "p808.onnx",
    sha256="9246480c58567bc6affd4200938e77eef49468c8bc7ed3776d109c07456f6e91",
)


def dnsmos_version(device: str) -> common.EngineVersion:
    """The version of the engine, which runs on a device."""
    return common.EngineVersion(
        engine="dnsmos",
        library=f"onnxruntime {version('onnxruntime')}",
        model_name="DNSMOS P.835 and P.808",
        checkpoint_sha256=hashlib.sha256(f"{P835.sha256}{P808.sha256}".encode()).hexdigest(),
        compute_type="float32",
        device=device,
    )
