"""Answers that the engine `triton` understands, and those that it refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
import numpy as np
import pytest

from maie.kserve.v2 import inference_pb2 as kserve
from maie_alignment.engines.triton.engine import create
from maie_core.reasons import Reason
from tests.alignment.ctc_model import TOKENS
from tests.alignment.engine_cases import as_tones
from tests.alignment.kserve_server import KserveServer, serving, tls_of
from tests.alignment.triton.opening import (
    TRIES,
    WORDS,
    failure,
    opened,
    settings,
)
from tests.certificates import TestCa

pytestmark = pytest.mark.unit


def answered(change: Callable[[Any, np.ndarray], None]) -> Callable[[Any], None]:
    """Changes an answer, by its numbers."""

    def answer(made: kserve.ModelInferResponse) -> None:
        numbers = np.frombuffer(made.raw_output_contents[0], "<f4").copy()
        change(made, numbers.reshape(made.outputs[0].shape))

    return answer


def put(made: kserve.ModelInferResponse, numbers: np.ndarray, kind: str = "<f4") -> None:
    made.outputs[0].shape[:] = numbers.shape
    made.raw_output_contents[0] = numbers.astype(kind).tobytes()


def not_numbers(made: Any, numbers: np.ndarray) -> None:
    numbers[0, 5, 3] = np.nan
    put(made, numbers)


def infinite(made: Any, numbers: np.ndarray) -> None:
    numbers[0, 5, 3] = np.inf
    put(made, numbers)


def short(made: Any, numbers: np.ndarray) -> None:
    put(made, numbers[:, : len(numbers[0]) // 2])


def empty(made: Any, numbers: np.ndarray) -> None:
    put(made, numbers[:, :0])


def fewer_columns(made: Any, numbers: np.ndarray) -> None:
    put(made, numbers[:, :, 1:])


def two_rows(made: Any, numbers: np.ndarray) -> None:
    put(made, np.concatenate([numbers, numbers]))


def cut_off(made: Any, numbers: np.ndarray) -> None:
    made.raw_output_contents[0] = made.raw_output_contents[0][:-3]


def vast_shape(made: Any, numbers: np.ndarray) -> None:
    made.outputs[0].shape[:] = [1, 2**62, 2**62]


def negative_shape(made: Any, numbers: np.ndarray) -> None:
    made.outputs[0].shape[:] = [1, -1, len(TOKENS)]


def other_kind(made: Any, numbers: np.ndarray) -> None:
    made.outputs[0].datatype = "INT8"


def other_output(made: Any, numbers: np.ndarray) -> None:
    made.outputs[0].name = "embeddings"


def twice(made: Any, numbers: np.ndarray) -> None:
    made.outputs.add().CopyFrom(made.outputs[0])


def nothing(made: Any, numbers: np.ndarray) -> None:
    made.Clear()


def without_contents(made: Any, numbers: np.ndarray) -> None:
    del made.raw_output_contents[:]


def huge(made: Any, numbers: np.ndarray) -> None:
    put(made, np.zeros((1, 4 * 1024 * 1024, 1)))


@pytest.mark.parametrize(
    "change",
    [
        not_numbers,
        infinite,
        short,
        empty,
        fewer_columns,
        two_rows,
        cut_off,
        vast_shape,
        negative_shape,
        other_kind,
        other_output,
        twice,
        nothing,
        without_contents,
        huge,
    ],
)
async def test_an_answer_that_cannot_be_one_is_refused(
    server: KserveServer, ca: TestCa, change: Callable[[Any, np.ndarray], None]
) -> None:
    async with opened(server, ca, **TRIES) as engine:
        server.answer = answered(change)
        error = await failure(engine)
        assert (error.code.name, error.reason) == ("INTERNAL", "MODEL_ANSWER_INVALID")
        assert error.message.isprintable()
        assert server.calls["ModelInfer"] == 1
        server.answer = lambda _: None
        assert len(await engine.align(*as_tones())) == len(WORDS)


async def test_an_answer_that_grows_when_it_is_unpacked_is_refused(
    server: KserveServer, ca: TestCa
) -> None:
    async with (
        serving(server, tls_of(ca), compression=grpc.Compression.Gzip) as address,
        create(settings(address, server.folder, ca)) as engine,
    ):
        server.answer = answered(huge)
        error = await failure(engine)
    assert error.reason == Reason.MODEL_ANSWER_INVALID


async def test_a_server_that_takes_less_is_refused(server: KserveServer, ca: TestCa) -> None:
    limit = [("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", 50_000)]
    async with (
        serving(server, tls_of(ca), options=limit) as address,
        create(settings(address, server.folder, ca, **TRIES)) as engine,
    ):
        error = await failure(engine)
    assert (error.code.name, error.reason) == ("FAILED_PRECONDITION", "MODEL_REQUEST_REFUSED")
    assert "as large as this audio" in error.message


def as_half(made: Any, numbers: np.ndarray) -> None:
    made.outputs[0].datatype = "FP16"
    put(made, numbers, "<f2")


def as_field(made: Any, numbers: np.ndarray) -> None:
    made.outputs[0].contents.fp32_contents.extend(numbers.ravel().tolist())
    del made.raw_output_contents[:]


def minus_infinity(made: Any, numbers: np.ndarray) -> None:
    numbers[numbers < -4] = -np.inf
    put(made, numbers)


@pytest.mark.parametrize("change", [as_half, as_field, minus_infinity])
async def test_what_servers_may_answer_is_understood(
    server: KserveServer, ca: TestCa, change: Callable[[Any, np.ndarray], None]
) -> None:
    async with opened(server, ca) as engine:
        right = await engine.align(*as_tones())
        server.answer = answered(change)
        found = await engine.align(*as_tones())
    assert [each.start for each in found] == [each.start for each in right]
