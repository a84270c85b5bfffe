"""What a server says of a model's tensors, and the tensors themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Final

import numpy as np
from numpy.typing import NDArray

from maie.kserve.v2 import inference_pb2 as kserve
from maie_alignment.engines.ctc.audio import Waveform
from maie_alignment.engines.ctc.layouts import Layout, layout_of

# Raw contents are little-endian.
_FLOATS: Final = {"FP32": "<f4", "FP16": "<f2"}
_INTEGERS: Final = {"INT64": "<i8", "INT32": "<i4"}
_ANY: Final = -1
# A server may say anything; a sentence has so much of it.
_SHOWN_NAMES, _SHOWN_CHARACTERS = 8, 60

Tensor = kserve.ModelMetadataResponse.TensorMetadata


class UnfitError(Exception):
    """A model, or what it gave, is not what the engine needs; the text says why."""


@dataclass(kw_only=True, frozen=True, slots=True)
class Signature:
    """How a model is called.

    Attributes:
        layout: The names of its tensors.
        types: The type of each input's elements.
        ranks: The number of dimensions of each input.
    """

    layout: Layout
    types: Mapping[str, str]
    ranks: Mapping[str, int]

    def request(self, waveform: Waveform) -> kserve.ModelInferRequest:
        """A call with audio."""
        made = kserve.ModelInferRequest()
        made.outputs.add(name=self.layout.output)
        for name, value in self.layout.feed(waveform).items():
            kind = self.types[name]
            # A number for each row, where the server adds a dimension for the batch.
            shape = (1,) * (self.ranks[name] - value.ndim) + value.shape
            made.inputs.add(name=name, datatype=kind, shape=shape)
            made.raw_input_contents.append(value.astype((_FLOATS | _INTEGERS)[kind]).tobytes())
        return made


def signature_of(
    metadata: kserve.ModelMetadataResponse, columns: int, named: Layout | None
) -> Signature:
    """How a model is called, by what its server says of it.

    Args:
        metadata: What the server says.
        columns: The number of symbols of the vocabulary.
        named: The layout that the settings name; None: one of those that are known.

    Raises:
        UnfitError: It is no model that the engine can run.
    """
    inputs = {each.name: each for each in metadata.inputs}
    outputs = {each.name: each for each in metadata.outputs}
    layout = named or layout_of(inputs, outputs)
    if layout is None or layout.inputs != inputs.keys() or layout.output not in outputs:
        raise UnfitError(f"takes {_shown(inputs)} and gives {_shown(outputs)}")
    _check(inputs[layout.waveform], _FLOATS, [(1, _ANY), (_ANY,)])
    if layout.mask:
        _check(inputs[layout.mask], _INTEGERS, [(1, _ANY), (_ANY,)])
    if layout.lengths:
        count = inputs[layout.lengths]
        batch = [(1, _ANY), (1, _ANY)]
        _check(count, _INTEGERS, batch[: max(1, len(count.shape))])
    _check(outputs[layout.output], _FLOATS, [(1, _ANY), (_ANY,), (columns, _ANY)])
    return Signature(
        layout=layout,
        types={name: each.datatype for name, each in inputs.items()},
        ranks={name: len(each.shape) for name, each in inputs.items()},
    )


def levels_of(answer: kserve.ModelInferResponse, output: str) -> NDArray[np.float32]:
    """What a model gave, of shape (frames, columns).

    Raises:
        UnfitError: It is no such tensor.
    """
    places = [place for place, each in enumerate(answer.outputs) if each.name == output]
    if len(places) != 1:
        raise UnfitError(f"gave {_shown(each.name for each in answer.outputs)} and not {output}")
    found = answer.outputs[places[0]]
    shape = [*found.shape]
    if found.datatype not in _FLOATS:
        raise UnfitError(f"gave {output} as {found.datatype[:_SHOWN_CHARACTERS]!r}")
    if len(shape) != 3 or shape[0] != 1 or min(shape) < 0:
        raise UnfitError(f"gave {output} of the shape {shape[:_SHOWN_NAMES]}")
    made = _elements(answer, places[0])
    if len(made) != prod(shape):
        raise UnfitError(f"gave {len(made)} numbers for {output} of the shape {shape}")
    return made.reshape(shape[1:])


def _elements(answer: kserve.ModelInferResponse, place: int) -> NDArray[np.float32]:
    found = answer.outputs[place]
    kind = np.dtype(_FLOATS[found.datatype])
    if not answer.raw_output_contents:
        return np.array(found.contents.fp32_contents, np.float32)
    if len(answer.raw_output_contents) != len(answer.outputs):
        raise UnfitError("gave contents that belong to no output")
    raw = answer.raw_output_contents[place]
    if len(raw) % kind.itemsize:
        raise UnfitError(f"gave {found.name} cut off within a number")
    return np.frombuffer(raw, kind).astype(np.float32)


def _check(tensor: Tensor, types: Mapping[str, str], sizes: Sequence[tuple[int, ...]]) -> None:
    """Refuses a tensor of another type or shape.

    Args:
        tensor: What the server says of it.
        types: The types that are possible.
        sizes: For each dimension, its possible sizes.
    """
    shape = [*tensor.shape]
    fits = len(shape) == len(sizes) and all(
        size in possible for size, possible in zip(shape, sizes, strict=True)
    )
    if tensor.datatype in types and fits:
        return
    kind = tensor.datatype[:_SHOWN_CHARACTERS]
    expected = [max(each) for each in sizes]
    raise UnfitError(
        f"has {tensor.name} as {kind!r} of the shape {shape[:_SHOWN_NAMES]}, which must be "
        f"{' or '.join(types)} of the shape {[_ANY, *expected[1:]]}"
    )


def _shown(names: Iterable[str]) -> str:
    found = sorted(names)
    shown = ", ".join(repr(each[:_SHOWN_CHARACTERS]) for each in found[:_SHOWN_NAMES])
    return (shown or "nothing") + (", …" if len(found) > _SHOWN_NAMES else "")
