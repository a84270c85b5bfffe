"""The pinned source of hama's model of sounds, for the engine `wav2vec2` of alignment.

Later wheels have it in a format of their own, and not as ONNX.
"""

from __future__ import annotations

from maie_cli.models.sources import Wheel, WheelSource

HAMA = WheelSource(
    wheels=(
        Wheel(
            project="hama",
            version="1.3.13",
            sha256="753ca05c6b3c99f9c8c415776848f84ebb72823f70c11fd46dd7eff5df338dbd",
        ),
    ),
    members={
        "model.onnx": ("hama/assets/asr_waveform_fp16.onnx",),
        "vocab.json": ("hama/assets/g2p_vocab.json",),
    },
    sha256={
        "model.onnx": "a884b5ac55f8bbc00673e8cf6d2dd601aa76e5031dd85cf3de2f25b5987cd59a",
        "vocab.json": "520d19e4e6ae58658eed53594e0feab8ea8e1b4b04a7746e25e50c16c29b91bf",
    },
    size_mb=9,
)
