"""CAM++: whose voice a stretch of speech is.

The network is that of 3D-Speaker (`speakerlab.models.campplus`; Wang et al., "CAM++: A Fast and
Efficient Network for Speaker Verification Using Context-Aware Masking", 2023): filters over time
and frequency, three blocks of densely connected layers over time, each weighed by what the whole
stretch sounds like, and one linear layer of the mean and the deviation.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from tools.converted_models.graph import Floats, Graph

# Up to 200 frames, the segments of the masks are the whole stretch.
FRAMES: Final = 150
BANDS: Final = 80
_HEAD_CHANNELS: Final = 320
_BLOCKS: Final = ((12, 1), (24, 2), (16, 2))
_EMBEDDING: Final = 192
_NORM_EPSILON: Final = 1e-5


def write_campplus(tensors: Mapping[str, Floats], path: Path) -> None:
    """Writes the network.

    Input `mels`: float32 of shape (stretches, 150, 80), logarithms of the power in mel bands, with
    a mean of 0 in each band. Output `embeddings`: float32 of shape (stretches, 192).
    """
    network = _Network(Graph("campplus"), tensors)
    network.write(path)


class _Network:
    def __init__(self, graph: Graph, tensors: Mapping[str, Floats]) -> None:
        self._graph = graph
        self._tensors = tensors

    def write(self, path: Path) -> None:
        graph = self._graph
        values = self._blocks(self._head("mels"))
        values = self._conv(self._statistics(values), "xvector.dense.linear")
        values = self._norm(values, "xvector.dense.nonlinear.batchnorm")
        graph.node("Reshape", values, graph.integers(0, -1), output="embeddings")
        shapes = {"mels": ["stretches", FRAMES, BANDS]}
        graph.write(str(path), shapes, {"embeddings": ["stretches", _EMBEDDING]})

    def _head(self, mels: str) -> str:
        graph = self._graph
        values = graph.node("Transpose", mels, perm=[0, 2, 1])
        values = graph.node("Unsqueeze", values, graph.integers(1))
        values = self._relu(self._norm(self._conv(values, "head.conv1", pads=[1] * 4), "head.bn1"))
        for layer in ("head.layer1", "head.layer2"):
            values = self._residual(values, f"{layer}.0", 2)
            values = self._residual(values, f"{layer}.1", 1)
        values = self._conv(values, "head.conv2", strides=[2, 1], pads=[1] * 4)
        values = self._relu(self._norm(values, "head.bn2"))
        return graph.node("Reshape", values, graph.integers(0, _HEAD_CHANNELS, -1))

    def _residual(self, values: str, name: str, stride: int) -> str:
        inner = self._conv(values, f"{name}.conv1", strides=[stride, 1], pads=[1] * 4)
        inner = self._relu(self._norm(inner, f"{name}.bn1"))
        inner = self._norm(self._conv(inner, f"{name}.conv2", pads=[1] * 4), f"{name}.bn2")
        if f"{name}.shortcut.0.weight" in self._tensors:
            values = self._conv(values, f"{name}.shortcut.0", strides=[stride, 1])
            values = self._norm(values, f"{name}.shortcut.1")
        return self._relu(self._graph.node("Add", inner, values))

    def _blocks(self, values: str) -> str:
        values = self._conv(values, "xvector.tdnn.linear", strides=[2], pads=[2, 2])
        values = self._relu(self._norm(values, "xvector.tdnn.nonlinear.batchnorm"))
        for block, (layers, dilation) in enumerate(_BLOCKS, start=1):
            for layer in range(1, layers + 1):
                more = self._dense(values, f"xvector.block{block}.tdnnd{layer}", dilation)
                values = self._graph.node("Concat", values, more, axis=1)
            name = f"xvector.transit{block}"
            values = self._relu(self._norm(values, f"{name}.nonlinear.batchnorm"))
            values = self._conv(values, f"{name}.linear")
        return self._relu(self._norm(values, "xvector.out_nonlinear.batchnorm"))

    def _dense(self, values: str, name: str, dilation: int) -> str:
        values = self._relu(self._norm(values, f"{name}.nonlinear1.batchnorm"))
        values = self._conv(values, f"{name}.linear1")
        values = self._relu(self._norm(values, f"{name}.nonlinear2.batchnorm"))
        return self._masked(values, f"{name}.cam_layer", dilation)

    def _masked(self, values: str, name: str, dilation: int) -> str:
        """The values, weighed by the mean of the stretch and that of its segment, which are one."""
        graph = self._graph
        local = self._conv(
            values, f"{name}.linear_local", pads=[dilation] * 2, dilations=[dilation]
        )
        mean = graph.node("ReduceMean", values, axes=[-1], keepdims=1)
        context = self._relu(self._conv(graph.node("Add", mean, mean), f"{name}.linear1"))
        mask = graph.node("Sigmoid", self._conv(context, f"{name}.linear2"))
        return graph.node("Mul", local, mask)

    def _statistics(self, values: str) -> str:
        """The mean and the sample deviation over time."""
        graph, steps = self._graph, FRAMES // 2
        mean = graph.node("ReduceMean", values, axes=[-1], keepdims=1)
        apart = graph.node("Sub", values, mean)
        square = graph.node("ReduceMean", graph.node("Mul", apart, apart), axes=[-1], keepdims=1)
        sample = graph.weight(np.array(steps / (steps - 1), np.float32))
        deviation = graph.node("Sqrt", graph.node("Mul", square, sample))
        return graph.node("Concat", mean, deviation, axis=1)

    def _conv(self, values: str, name: str, **attributes: Any) -> str:
        inputs = [self._graph.half(self._tensors[f"{name}.weight"])]
        if f"{name}.bias" in self._tensors:
            inputs.append(self._graph.weight(self._tensors[f"{name}.bias"]))
        return self._graph.node("Conv", values, *inputs, **attributes)

    def _norm(self, values: str, name: str) -> str:
        mean, variance = (self._tensors[f"{name}.running_{kind}"] for kind in ("mean", "var"))
        scale = self._tensors.get(f"{name}.weight", np.ones_like(mean))
        shift = self._tensors.get(f"{name}.bias", np.zeros_like(mean))
        inputs = [self._graph.weight(each) for each in (scale, shift, mean, variance)]
        return self._graph.node("BatchNormalization", values, *inputs, epsilon=_NORM_EPSILON)

    def _relu(self, values: str) -> str:
        return self._graph.node("Relu", values)
