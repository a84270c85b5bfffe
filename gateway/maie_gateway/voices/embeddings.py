"""The arithmetic of embeddings: points on a sphere, which say whose voice it is."""

from __future__ import annotations

import math
import sys
from array import array
from collections.abc import Iterable
from typing import TypeAlias

Embedding: TypeAlias = tuple[float, ...]
"""A voice as a point of its engine's space, of length 1."""


def unpack(data: bytes) -> Embedding | None:
    """An embedding of the contract, of length 1; None where it is empty or no direction at all."""
    floats = array("f")
    floats.frombytes(data[: len(data) - len(data) % floats.itemsize])
    if sys.byteorder == "big":
        floats.byteswap()
    return _of_length_one(floats)


def pack(embedding: Embedding) -> bytes:
    """An embedding as the contract has it."""
    floats = array("f", embedding)
    if sys.byteorder == "big":
        floats.byteswap()
    return floats.tobytes()


def mean(weighed: Iterable[tuple[Embedding, float]]) -> Embedding | None:
    """The direction between embeddings of one space; None where there is none.

    Args:
        weighed: The embeddings, each with its weight.
    """
    scaled = [[weight * value for value in embedding] for embedding, weight in weighed]
    return _of_length_one(map(math.fsum, zip(*scaled, strict=True)))


def similarity(one: Embedding, other: Embedding) -> float:
    """The cosine of the angle between two embeddings of one space, -1 to 1.

    By the distance of the points, which Python computes faster than their scalar product:
    |a - b|^2 = 2 - 2 a.b for vectors of length 1.
    """
    return 1 - math.dist(one, other) ** 2 / 2


def _of_length_one(values: Iterable[float]) -> Embedding | None:
    found = tuple(values)
    length = math.hypot(*found)
    if not 0 < length < math.inf:
        return None
    return tuple(value / length for value in found)
