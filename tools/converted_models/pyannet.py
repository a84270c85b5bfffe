"""PyanNet: who of three speakers of a window speaks in each frame.

The network is that of pyannote.audio (`pyannote.audio.models.segmentation.PyanNet`): filters of
the waveform (SincNet), four LSTM layers in both directions, and two linear layers. Of version 2 it
has one probability for each speaker; segmentation 3.0 has one for each set of up to two speakers.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tools.converted_models.graph import Floats, Graph

SAMPLE_RATE: Final = 16_000
_STRIDE: Final = 10
_POOL: Final = 3
_LAYERS: Final = 4
_MIN_LOW_HZ: Final = 50.0
_MIN_BAND_HZ: Final = 50.0
_NORM_EPSILON: Final = 1e-5
_LEAK: Final = 0.01


def write_pyannet(tensors: Mapping[str, Floats], path: Path) -> None:
    """Writes the network.

    Input `samples`: float32 of shape (windows, 1, samples), -1 to 1. Output `speech`: float32 of
    shape (windows, frames, 3), probabilities 0 to 1.
    """
    graph = Graph("pyannet")
    values = graph.node("Sigmoid", _classified(graph, tensors))
    _write(graph, values, "speech", 3, path)


def write_segmentation(tensors: Mapping[str, Floats], path: Path) -> None:
    """Writes the network of segmentation 3.0.

    Input `samples`: as that of `write_pyannet`. Output `classes`: float32 of shape
    (windows, frames, 7), logarithms of the probabilities that nobody speaks, that speaker 0, 1 or
    2 does alone, and that 0 and 1, 0 and 2, or 1 and 2 do.
    """
    graph = Graph("segmentation")
    values = graph.node("LogSoftmax", _classified(graph, tensors), axis=-1)
    _write(graph, values, "classes", 7, path)


def _classified(graph: Graph, tensors: Mapping[str, Floats]) -> str:
    """What the last layer says, of shape (frames, windows, classes)."""
    features = graph.node("Transpose", _sincnet(graph, tensors), perm=[2, 0, 1])
    layers = [(f"l{layer}", f"l{layer}_reverse") for layer in range(_LAYERS)]
    values = graph.lstm(features, layers, tensors)
    for name in ("linear.0", "linear.1"):
        values = graph.node("LeakyRelu", _linear(graph, values, name, tensors), alpha=_LEAK)
    return _linear(graph, values, "classifier", tensors)


def _write(graph: Graph, values: str, output: str, classes: int, path: Path) -> None:
    graph.node("Transpose", values, perm=[1, 0, 2], output=output)
    shape = ["windows", "frames", classes]
    graph.write(str(path), {"samples": ["windows", 1, "samples"]}, {output: shape})


def _sincnet(graph: Graph, tensors: Mapping[str, Floats]) -> str:
    values = _normalize(graph, "samples", "sincnet.wav_norm1d", tensors)
    for layer in range(3):
        if layer:
            name = f"sincnet.conv1d.{layer}"
            inputs = [graph.weight(tensors[f"{name}.{kind}"]) for kind in ("weight", "bias")]
            values = graph.node("Conv", values, *inputs)
        else:
            filters = graph.weight(_filters(tensors))
            values = graph.node("Abs", graph.node("Conv", values, filters, strides=[_STRIDE]))
        values = graph.node("MaxPool", values, kernel_shape=[_POOL], strides=[_POOL])
        values = _normalize(graph, values, f"sincnet.norm1d.{layer}", tensors)
        values = graph.node("LeakyRelu", values, alpha=_LEAK)
    return values


def _normalize(graph: Graph, values: str, name: str, tensors: Mapping[str, Floats]) -> str:
    scale, bias = (graph.weight(tensors[f"{name}.{kind}"]) for kind in ("weight", "bias"))
    return graph.node("InstanceNormalization", values, scale, bias, epsilon=_NORM_EPSILON)


def _linear(graph: Graph, values: str, name: str, tensors: Mapping[str, Floats]) -> str:
    product = graph.node("MatMul", values, graph.weight(tensors[f"{name}.weight"].T))
    return graph.node("Add", product, graph.weight(tensors[f"{name}.bias"]))


def _filters(tensors: Mapping[str, Floats]) -> Floats:
    """The band-pass filters of the learned bands, of shape (80, 1, 251).

    Source: `asteroid_filterbanks.ParamSincFB`, after Ravanelli and Bengio, "Speaker Recognition
    from Raw Waveform with SincNet" (2018), with a cosine and a sine for each band.
    """
    prefix = "sincnet.conv1d.0.filterbank."
    low_hz, band_hz, window, times = (
        tensors[prefix + name].astype(np.float64)
        for name in ("low_hz_", "band_hz_", "window_", "n_")
    )
    low = _MIN_LOW_HZ + np.abs(low_hz)
    high = np.clip(low + _MIN_BAND_HZ + np.abs(band_hz), _MIN_LOW_HZ, SAMPLE_RATE / 2)
    cosine = (np.sin(high @ times) - np.sin(low @ times)) / (times / 2) * window
    sine = (np.cos(low @ times) - np.cos(high @ times)) / (times / 2) * window
    width = 2 * (high - low)
    even = _mirrored(cosine, width, cosine) / width
    odd = _mirrored(sine, np.zeros_like(width), -sine) / width
    return np.concatenate([even, odd])[:, np.newaxis].astype(np.float32)


def _mirrored(
    left: NDArray[np.float64], center: NDArray[np.float64], right: NDArray[np.float64]
) -> NDArray[np.float64]:
    return np.concatenate([left, center, right[:, ::-1]], axis=1)
