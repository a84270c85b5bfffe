"""The voice encoder of Resemblyzer: whose voice a stretch of speech is.

The network is that of `resemblyzer.VoiceEncoder`, trained with the loss GE2E (Wan et al.,
"Generalized End-to-End Loss for Speaker Verification", 2018): three LSTM layers, and a linear
layer of their last output.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tools.diarization_models.graph import Floats, Graph

_LAYERS: Final = 3


def write_ge2e(tensors: Mapping[str, Floats], path: Path) -> None:
    """Writes the network.

    Input `mels`: float32 of shape (stretches, frames, 40), power in mel bands. Output
    `embeddings`: float32 of shape (stretches, 256), of unit length.
    """
    graph = Graph("ge2e")
    steps = graph.node("Transpose", "mels", perm=[1, 0, 2])
    hidden = graph.lstm(steps, [(f"l{layer}",) for layer in range(_LAYERS)], tensors)
    last = graph.node("Gather", hidden, graph.integer(-1), axis=0)
    product = graph.node("MatMul", last, graph.weight(tensors["linear.weight"].T))
    values = graph.node("Relu", graph.node("Add", product, graph.weight(tensors["linear.bias"])))
    graph.node("LpNormalization", values, axis=-1, p=2, output="embeddings")
    graph.write(
        str(path), {"mels": ["stretches", "frames", 40]}, {"embeddings": ["stretches", 256]}
    )
