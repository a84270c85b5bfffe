"""Writes ONNX graphs of a few layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

# What onnxruntime in sherpa-onnx 2.0 reads.
OPSET, IR_VERSION = 17, 9
FLOAT, INT32, INT64 = TensorProto.FLOAT, TensorProto.INT32, TensorProto.INT64

# Name, type and shape; a name in a shape is any size.
Value = tuple[str, int, Sequence[Any]]


class Weights:
    """Random numbers, always the same ones."""

    def __init__(self) -> None:
        self._random = np.random.default_rng(7)

    def normal(self, *shape: int, scale: float = 1.0) -> NDArray[np.float32]:
        return (self._random.standard_normal(shape) * scale).astype(np.float32)


class Graph:
    """A graph that grows node by node.

    Args:
        inputs: The inputs, in the order that sherpa-onnx relies on.
    """

    def __init__(self, *inputs: Value) -> None:
        self._inputs = [helper.make_tensor_value_info(*each) for each in inputs]
        self._nodes: list[Any] = []
        self._weights: dict[str, Any] = {}

    def weight(self, value: NDArray[Any] | Sequence[int]) -> str:
        """Adds a constant; integers are int64."""
        name = f"w{len(self._weights)}"
        self._weights[name] = numpy_helper.from_array(np.asarray(value), name)
        return name

    def node(self, kind: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        """Adds a node with one output."""
        output = name or f"n{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def save(self, path: Path, outputs: Sequence[Value], metadata: Mapping[str, Any]) -> None:
        """Writes the model; the names of outputs are those of nodes."""
        graph = helper.make_graph(
            self._nodes,
            path.stem,
            self._inputs,
            [helper.make_tensor_value_info(*each) for each in outputs],
            list(self._weights.values()),
        )
        opset = helper.make_opsetid("", OPSET)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION)
        helper.set_model_props(model, {name: str(value) for name, value in metadata.items()})
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, path)
