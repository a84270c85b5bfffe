"""Moves encoded windows from one batch to another."""

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
    """A view of some rows of the encoder's output.

    Attributes:
        batch: The whole batch, on the device that computed it or on the CPU.
        first: The first row.
        count: The number of rows.
    """

    batch: StorageView
    first: int
    count: int


def encoded_windows(batch: StorageView, counts: Sequence[int]) -> list[EncodedWindows]:
    """Splits a batch among its calls.

    Args:
        batch: The encoder's output, of shape (rows, frames, size).
        counts: The number of rows of each call, in order.
    """
    starts = accumulate(counts, initial=0)
    return [
        EncodedWindows(batch=batch, first=first, count=count)
        for first, count in zip(starts, counts, strict=False)
    ]


def join(parts: Sequence[EncodedWindows]) -> StorageView:
    """The rows of all parts in order, as input for the decoder.

    A complete batch is returned as it is. Rows of different batches are copied to the CPU's
    memory, for CTranslate2 cannot join views on a GPU.
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
    """The rows as a numpy array; numpy has no bfloat16."""
    if batch.dtype == DataType.bfloat16:
        batch = batch.to(DataType.float32)
    return np.asarray(batch.to_device(Device.cpu))
