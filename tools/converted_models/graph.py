"""Writes a network as an ONNX file.

The matrices of LSTM layers, the filters of CAM++, and the filters and matrices of Distill-MOS,
nearly all of the weights, are stored in half precision. PyanNet's probabilities then differ by less
than 0.01 from those of the original; with its filters in half precision too, they would differ by
0.4. CAM++'s embeddings have a cosine of 0.99999 with the original's. Distill-MOS's scores, 1 to 5,
differ by less than 0.0002.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, ValueInfoProto, helper, numpy_helper, save_model
from onnx import checker as onnx_checker

Floats = NDArray[np.float32]

# Both are what onnxruntime 1.23 reads, the oldest that the engines allow.
OPSET: Final = 17
IR_VERSION: Final = 8
# ONNX has the gates of an LSTM in the order input, output, forget, cell; torch has input, forget,
# cell, output.
_GATES: Final = (0, 3, 1, 2)


class Graph:
    """A network under construction: each method adds a node and returns its output's name."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._nodes: list[Any] = []
        self._weights: list[Any] = []

    def node(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """Adds a node with one output."""
        output = output or f"{operator}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def weight(self, values: Floats) -> str:
        """Adds a weight in single precision."""
        return self._constant(np.ascontiguousarray(values, np.float32))

    def integers(self, *values: int) -> str:
        """Adds integers, such as a shape or axes."""
        return self._constant(np.asarray(values, np.int64))

    def integer(self, value: int) -> str:
        """Adds one integer, such as an index."""
        return self._constant(np.asarray(value, np.int64))

    def lstm(
        self, steps: str, layers: Sequence[Sequence[str]], tensors: Mapping[str, Floats]
    ) -> str:
        """Adds LSTM layers, one on another.

        Args:
            steps: The input, of shape (steps, batch, features).
            layers: For each layer, the endings of its tensors' names, one for each direction.
            tensors: The tensors of torch's module `lstm`.

        Returns:
            The last layer's output, of shape (steps, batch, directions * hidden).
        """
        for directions in layers:
            steps = self._layer(steps, directions, tensors)
        return steps

    def write(
        self, path: str, inputs: Mapping[str, list[Any]], outputs: Mapping[str, list[Any]]
    ) -> None:
        """Writes the file. Its bytes depend on nothing but the nodes.

        Args:
            path: The file.
            inputs: The shape of each input, with names for axes of any length.
            outputs: The shape of each output.
        """
        graph = helper.make_graph(
            self._nodes, self._name, _floats(inputs), _floats(outputs), self._weights
        )
        opsets = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(
            graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="maie"
        )
        onnx_checker.check_model(model)
        save_model(model, path)

    def _layer(self, steps: str, directions: Sequence[str], tensors: Mapping[str, Floats]) -> str:
        weights, recurrences, biases = (
            np.stack([_gates(tensors[f"lstm.{kind}_{each}"]) for each in directions])
            for kind in ("weight_ih", "weight_hh", "bias_ih")
        )
        own = np.stack([_gates(tensors[f"lstm.bias_hh_{each}"]) for each in directions])
        inputs = [self.half(weights), self.half(recurrences)]
        inputs.append(self.weight(np.concatenate([biases, own], axis=1)))
        hidden = self.node(
            "LSTM",
            *(steps, *inputs),
            hidden_size=recurrences.shape[2],
            direction="bidirectional" if len(directions) > 1 else "forward",
        )
        return self.node(
            "Reshape", self.node("Transpose", hidden, perm=[0, 2, 1, 3]), self.integers(0, 0, -1)
        )

    def half(self, values: Floats) -> str:
        """A weight that takes half the room, and is computed with in single precision."""
        return self.node("Cast", self._constant(values.astype(np.float16)), to=TensorProto.FLOAT)

    def _constant(self, values: NDArray[Any]) -> str:
        name = f"weight_{len(self._weights)}"
        self._weights.append(numpy_helper.from_array(values, name))
        return name


def _floats(shapes: Mapping[str, list[Any]]) -> list[ValueInfoProto]:
    return [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in shapes.items()
    ]


def _gates(values: Floats) -> Floats:
    """An LSTM's tensor of torch with its gates in ONNX's order."""
    return np.concatenate([np.split(values, len(_GATES))[gate] for gate in _GATES])
