"""What the engine `triton` sends to a server, and what is recorded of its answers."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

from maie.kserve.v2 import inference_pb2 as kserve
from maie_core.reasons import Reason
from tests.alignment.engine_cases import as_tones
from tests.alignment.kserve_server import MODEL, VERSION, KserveServer
from tests.alignment.triton.opening import (
    WORDS,
    failure,
    opened,
    wait_not,
)
from tests.certificates import TestCa
from tests.waiting import until

pytestmark = pytest.mark.unit


# What Triton's own messages make (those of tritonclient 2.73.0).


def test_messages_are_those_of_triton() -> None:
    answer = kserve.ModelInferResponse.FromString(
        bytes.fromhex(
            "0a036374631201331a017822080a017012031a01712a130a066c6f676974731204465033321a03010203"
            "3218000000000000000000000000000000000000000000000000"
        )
    )
    (logits,) = answer.outputs
    assert (answer.model_name, answer.model_version) == ("ctc", "3")
    assert (logits.name, logits.datatype, [*logits.shape]) == ("logits", "FP32", [1, 2, 3])
    assert [*answer.raw_output_contents] == [bytes(24)]
    model = kserve.ModelMetadataResponse.FromString(
        bytes.fromhex(
            "0a036374631201311201331a106f6e6e7872756e74696d655f6f6e6e78222a0a0c696e7075745f76616c"
            "7565731204465033321a14ffffffffffffffffff01ffffffffffffffffff012a250a066c6f6769747312"
            "04465033321a15ffffffffffffffffff01ffffffffffffffffff0120"
        )
    )
    assert (model.name, [*model.versions]) == ("ctc", ["1", "3"])
    assert model.platform == "onnxruntime_onnx"
    assert [*model.inputs[0].shape] == [-1, -1]
    assert [*model.outputs[0].shape] == [-1, -1, 32]
    request = kserve.ModelInferRequest(model_name="ctc", model_version="3")
    request.inputs.add(name="input_values", datatype="FP32", shape=[1, 2])
    request.outputs.add(name="logits")
    request.raw_input_contents.append(np.array([0, 1], "<f4").tobytes())
    assert request.SerializeToString().hex() == (
        "0a036374631201332a180a0c696e7075745f76616c7565731204465033321a02010232080a066c6f676974"
        "733a08000000000000803f"
    )


async def test_results_say_which_version_of_which_server_made_them(
    server: KserveServer, ca: TestCa
) -> None:
    async with opened(server, ca) as engine:
        await engine.align(*as_tones())
        version = engine.version
    assert (version.engine, version.library, version.model_name) == ("triton", "own 1.0", MODEL)
    assert version.parameters["model_version"] == VERSION
    assert version.parameters["platform"] == "onnx"
    assert version.device.startswith("127.0.0.1:")
    assert not version.checkpoint_sha256


async def test_another_version_of_the_model_is_recorded_with_what_it_made(
    server: KserveServer, ca: TestCa
) -> None:
    def newer(answer: kserve.ModelInferResponse) -> None:
        answer.model_version = "4"

    async with opened(server, ca) as engine:
        assert engine.version.parameters["model_version"] == VERSION
        server.answer = newer
        await engine.align(*as_tones())
        assert engine.version.parameters["model_version"] == "4"
    server.answer = lambda _: None
    async with opened(server, ca, model_version=VERSION) as engine:
        server.answer = newer
        error = await failure(engine)
    assert error.reason == Reason.MODEL_ANSWER_INVALID
    assert "ran version '4' and not 3" in error.message


async def test_one_connection_serves_all_first_requests_and_no_more_run_than_may(
    server: KserveServer, ca: TestCa
) -> None:
    async def wait(_: Any) -> None:
        await asyncio.sleep(0.05)

    server.before = wait
    samples, words = as_tones()
    async with opened(server, ca, concurrency=2) as engine:
        found = await asyncio.gather(*(engine.align(samples.copy(), words) for _ in range(12)))
    assert [len(each) for each in found] == [len(words)] * 12
    assert server.calls["ModelInfer"] == 12
    assert server.calls["ModelMetadata"] == 1
    assert len(server.peers) == 1
    assert server.most == 2


async def test_a_cancelled_call_is_cancelled_on_the_server(
    server: KserveServer, ca: TestCa
) -> None:
    async def hang(_: Any) -> None:
        await asyncio.Event().wait()

    server.before = hang
    async with opened(server, ca, concurrency=1) as engine:
        calls = [asyncio.create_task(engine.align(*as_tones())) for _ in range(2)]
        await until(lambda: server.running)
        for call in calls:
            call.cancel()
        for call in calls:
            with pytest.raises(asyncio.CancelledError):
                await call
        await until(lambda: server.cancelled)
        server.before = wait_not
        assert len(await engine.align(*as_tones())) == len(WORDS)
    assert server.running == 0
