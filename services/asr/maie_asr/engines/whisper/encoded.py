"""Encoded windows that came out of one batch and go into another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
from ctranslate2 import DataType, Device, StorageView
from numpy.typing import NDArray


@dataclass(kw_only=True, frozen=True, slots=True, eq=False)
class EncodedWindows:
    """Some rows of what the encoder gave, left where they are.

    Attributes:
        batch: The whole batch, on the device that computed it or on the CPU.
        first: The first of the rows.
        count: How many they are.
    """

    batch: StorageView
    first: int
    count: int


def encoded_windows(batch: StorageView, counts: Sequence[int]) -> list[EncodedWindows]:
    """Parts a batch among those who asked for it.

    Args:
        batch: What the encoder gave, of shape (rows, frames, size).
        counts: How many rows belong to each, in order.
    """
    starts = accumulate(counts, initial=0)
    return [
        EncodedWindows(batch=batch, first=first, count=count)
        for first, count in zip(starts, counts, strict=False)
    ]


def join(parts: Sequence[EncodedWindows]) -> StorageView:
    """The rows of all parts in order, as the decoder takes them.

    A batch that stayed together goes on as it is; rows of different batches are gathered
    in the CPU's memory, for CTranslate2 cannot join views on a GPU.
    """
    whole = parts[0].batch
    if _is_whole(parts):
        return whole
    memory: dict[int, NDArray[Any]] = {}
    rows = []
    for part in parts:
        if id(part.batch) not in memory:
            memory[id(part.batch)] = _on_cpu(part.batch)
        rows.append(memory[id(part.batch)][part.first : part.first + part.count])
    return StorageView.from_array(np.concatenate(rows))


def _is_whole(parts: Sequence[EncodedWindows]) -> bool:
    batch = parts[0].batch
    next_row = 0
    for part in parts:
        if part.batch is not batch or part.first != next_row:
            return False
        next_row += part.count
    return next_row == batch.shape[0]


def _on_cpu(batch: StorageView) -> NDArray[Any]:
    """The rows for numpy, which has no bfloat16."""
    if batch.dtype == DataType.bfloat16:
        batch = batch.to(DataType.float32)
    return np.asarray(batch.to_device(Device.cpu))
