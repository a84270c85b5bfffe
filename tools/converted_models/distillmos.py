"""Distill-MOS: how good listeners would find the sound of a window of speech.

The network is that of distillmos (`distillmos.sqa.ConvTransformerSQAModel`; Stahl and Gamper,
"Distillation and Pruning for Scalable Self-Supervised Representation-Based Speech Quality
Assessment", 2025): filters over frequency and time, a transformer over time, and a mean over time
that is weighed by attention.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from tools.converted_models.graph import Floats, Graph

FREQUENCIES: Final = 161
FRAMES: Final = 768
# The place of each layer in torch's sequence, and its strides over frequency and time.
_FILTERS: Final = ((0, 1, 1), (2, 2, 1), (4, 2, 1), (6, 2, 1), (8, 2, 1), (10, 2, 2))
_LEAK: Final = 0.1
_FEATURES: Final = 1024
_LAYERS: Final = 7
_HEADS: Final = 8
_WIDTH: Final = 200
_NORM_EPSILON: Final = 1e-5
_AFTER: Final = "transformer_pool_attn"
_TRANSFORMER: Final = f"{_AFTER}.transformer"


def write_distillmos(tensors: Mapping[str, Floats], path: Path) -> None:
    """Writes the network.

    Input `spectrum`: float32 of shape (windows, 2, 161, 768), real and imaginary parts of the
    compressed spectrum. Output `quality`: float32 of shape (windows,), 0 (bad) to 1 (excellent).
    """
    network = _Network(Graph("distillmos"), tensors)
    network.write(path)


class _Network:
    def __init__(self, graph: Graph, tensors: Mapping[str, Floats]) -> None:
        self._graph = graph
        self._tensors = tensors

    def write(self, path: Path) -> None:
        graph = self._graph
        values = self._transformed(self._filtered("spectrum"))
        values = self._pooled(self._scaled(values, f"{_AFTER}.norm_trans"))
        values = graph.node("Reshape", values, graph.integers(-1))
        graph.node("Sigmoid", values, output="quality")
        shapes = {"spectrum": ["windows", 2, FREQUENCIES, FRAMES]}
        graph.write(str(path), shapes, {"quality": ["windows"]})

    def _filtered(self, values: str) -> str:
        """The features of each time, of shape (windows, 384, 1024)."""
        graph = self._graph
        for layer, frequency, time in _FILTERS:
            weight, bias = (self._tensors[f"cnn.cnn.{layer}.{kind}"] for kind in ("weight", "bias"))
            inputs = [graph.half(weight), graph.weight(bias)]
            strides, pads = [frequency, time], [0, 1, 0, 1]
            values = graph.node("Conv", values, *inputs, strides=strides, pads=pads)
            values = graph.node("LeakyRelu", values, alpha=_LEAK)
        values = graph.node("Reshape", values, graph.integers(0, _FEATURES, -1))
        return graph.node("Transpose", values, perm=[0, 2, 1])

    def _transformed(self, values: str) -> str:
        graph = self._graph
        values = self._scaled(values, f"{_AFTER}.norm_input")
        values = self._scaled(values, f"{_TRANSFORMER}.norm")
        values = self._linear(values, f"{_TRANSFORMER}.linear_proj")
        places = graph.weight(self._tensors[f"{_TRANSFORMER}.position_encoding.pe"])
        values = graph.node("Add", values, places)
        for layer in range(_LAYERS):
            values = self._layer(values, f"{_TRANSFORMER}.transformer_encoder.layers.{layer}")
        return values

    def _layer(self, values: str, name: str) -> str:
        """As `torch.nn.TransformerEncoderLayer`, which normalizes after each sum."""
        attended = self._attention(values, f"{name}.self_attn")
        values = self._layer_norm(self._graph.node("Add", values, attended), f"{name}.norm1")
        inner = self._graph.node("Relu", self._linear(values, f"{name}.linear1"))
        inner = self._linear(inner, f"{name}.linear2")
        return self._layer_norm(self._graph.node("Add", values, inner), f"{name}.norm2")

    def _attention(self, values: str, name: str) -> str:
        graph = self._graph
        weights, biases = (
            np.split(self._tensors[f"{name}.in_proj_{kind}"], 3) for kind in ("weight", "bias")
        )
        # Scores are products of queries and keys over the root of a head's width.
        scale = np.float32((_WIDTH // _HEADS) ** -0.5)
        query = self._heads(values, weights[0] * scale, biases[0] * scale, [0, 2, 1, 3])
        key = self._heads(values, weights[1], biases[1], [0, 2, 3, 1])
        value = self._heads(values, weights[2], biases[2], [0, 2, 1, 3])
        weighed = graph.node("Softmax", graph.node("MatMul", query, key), axis=-1)
        heads = graph.node("Transpose", graph.node("MatMul", weighed, value), perm=[0, 2, 1, 3])
        joined = graph.node("Reshape", heads, graph.integers(0, 0, _WIDTH))
        return self._linear(joined, f"{name}.out_proj")

    def _heads(self, values: str, weight: Floats, bias: Floats, order: list[int]) -> str:
        """A projection by heads; from (windows, times, heads, width), it gets this order."""
        graph = self._graph
        values = self._product(values, weight, bias)
        values = graph.node("Reshape", values, graph.integers(0, 0, _HEADS, -1))
        return graph.node("Transpose", values, perm=order)

    def _pooled(self, values: str) -> str:
        """The mean over time that is weighed by attention, as one number."""
        graph, name = self._graph, f"{_AFTER}.pool"
        weights = graph.node("Relu", self._linear(values, f"{name}.linear1"))
        weights = graph.node("Transpose", self._linear(weights, f"{name}.linear2"), perm=[0, 2, 1])
        weights = graph.node("Softmax", weights, axis=-1)
        return self._linear(graph.node("MatMul", weights, values), f"{name}.linear3")

    def _linear(self, values: str, name: str) -> str:
        weight, bias = (self._tensors[f"{name}.{kind}"] for kind in ("weight", "bias"))
        return self._product(values, weight, bias)

    def _product(self, values: str, weight: Floats, bias: Floats) -> str:
        graph = self._graph
        product = graph.node("MatMul", values, graph.half(np.ascontiguousarray(weight.T)))
        return graph.node("Add", product, graph.weight(bias))

    def _scaled(self, values: str, name: str) -> str:
        """As `torch.nn.BatchNorm1d` of what it learned, with the features on the last axis."""
        weight, bias, mean, variance = (
            self._tensors[f"{name}.{kind}"].astype(np.float64)
            for kind in ("weight", "bias", "running_mean", "running_var")
        )
        scale = weight / np.sqrt(variance + _NORM_EPSILON)
        scaled = self._graph.node("Mul", values, self._graph.weight(_single(scale)))
        return self._graph.node("Add", scaled, self._graph.weight(_single(bias - mean * scale)))

    def _layer_norm(self, values: str, name: str) -> str:
        inputs = [
            self._graph.weight(self._tensors[f"{name}.{each}"]) for each in ("weight", "bias")
        ]
        return self._graph.node("LayerNormalization", values, *inputs, epsilon=_NORM_EPSILON)


def _single(values: Any) -> Floats:
    return np.asarray(values, np.float32)
