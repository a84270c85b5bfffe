"""Encoded windows that part and meet again are the same windows."""

from __future__ import annotations

import numpy as np
import pytest
from ctranslate2 import DataType, StorageView
from ctranslate2.models import Whisper

from maie_asr.engines.whisper.encoded import EncodedWindows, encoded_windows, join
from tests.asr.recordings import TINY_WHISPER

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def batches() -> list[StorageView]:
    """Two batches of three and two windows, no two alike."""
    network = Whisper(str(TINY_WHISPER), intra_threads=1)
    noise = np.random.default_rng(1).normal(size=(5, 80, 3000)).astype(np.float32)
    return [
        network.encode(StorageView.from_array(np.ascontiguousarray(part)))
        for part in (noise[:3], noise[3:])
    ]


def rows(view: StorageView) -> np.ndarray:
    return np.asarray(view)


def test_a_batch_is_parted_by_what_each_asked_for(batches: list[StorageView]) -> None:
    parts = encoded_windows(batches[0], [1, 2])
    assert [(part.first, part.count) for part in parts] == [(0, 1), (1, 2)]


def test_a_batch_that_stayed_together_is_not_copied(batches: list[StorageView]) -> None:
    assert join(encoded_windows(batches[0], [1, 2])) is batches[0]
    assert join(encoded_windows(batches[0], [3])) is batches[0]


def test_rows_of_several_batches_are_gathered_in_order(batches: list[StorageView]) -> None:
    first, second = (encoded_windows(batch, [1] * batch.shape[0]) for batch in batches)
    joined = rows(join([second[1], first[2], first[0]]))
    expected = [rows(batches[1])[1], rows(batches[0])[2], rows(batches[0])[0]]
    np.testing.assert_array_equal(joined, np.stack(expected))


@pytest.mark.parametrize("order", [[1, 0, 2], [0, 1], [1, 2]])
def test_rows_of_one_batch_in_another_order_or_number_are_gathered(
    batches: list[StorageView], order: list[int]
) -> None:
    parts = encoded_windows(batches[0], [1, 1, 1])
    joined = rows(join([parts[index] for index in order]))
    np.testing.assert_array_equal(joined, rows(batches[0])[order])


def test_rows_in_an_arithmetic_that_numpy_lacks_are_gathered(batches: list[StorageView]) -> None:
    coarse = batches[0].to(DataType.bfloat16)
    part = EncodedWindows(batch=coarse, first=1, count=1)
    np.testing.assert_allclose(rows(join([part])), rows(batches[0])[1:2], rtol=0.01, atol=0.01)
