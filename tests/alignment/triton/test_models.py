"""Servers and models that the engine `triton` can run, and those that it refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from maie.kserve.v2 import inference_pb2 as kserve
from maie_alignment.engines.triton.engine import create
from maie_core.errors import StageError
from maie_core.reasons import Reason
from tests.alignment.ctc_model import TOKENS, trust
from tests.alignment.engine_cases import as_tones
from tests.alignment.kserve_server import KserveServer
from tests.alignment.triton.opening import (
    WORDS,
    opened,
    refusal,
    settings,
)
from tests.certificates import TestCa

pytestmark = pytest.mark.unit


async def test_no_server_is_one_sentence(folder: Path, ca: TestCa) -> None:
    with pytest.raises(StageError) as refused:
        async with create(settings("127.0.0.1:1", folder, ca)):
            pass
    error = refused.value
    assert (error.code.name, error.reason) == ("UNAVAILABLE", "MODEL_UNAVAILABLE")
    assert error.message == (
        "The inference server at 127.0.0.1:1 cannot be reached; check that it runs, and "
        "MAIE_ALIGNMENT_TRITON_ADDRESS."
    )


async def test_another_server_is_refused(folder: Path, ca: TestCa) -> None:
    issued = ca.issue("server")
    other = grpc.aio.server()
    credentials = grpc.ssl_server_credentials([(issued.key, issued.certificate)])
    port = other.add_secure_port("127.0.0.1:0", credentials)
    await other.start()
    try:
        with pytest.raises(StageError, match="KServe v2") as refused:
            async with create(settings(f"127.0.0.1:{port}", folder, ca)):
                pass
    finally:
        await other.stop(0)
    assert refused.value.reason == Reason.MODEL_REQUEST_REFUSED


async def test_a_server_or_model_that_is_not_ready_is_one_sentence(
    server: KserveServer, ca: TestCa
) -> None:
    server.server_ready = False
    error = await refusal(server, ca)
    assert (error.code.name, error.reason) == ("UNAVAILABLE", "MODEL_UNAVAILABLE")
    assert "is not ready" in error.message
    server.server_ready, server.model_ready = True, False
    error = await refusal(server, ca)
    assert (error.code.name, error.reason) == ("UNAVAILABLE", "MODEL_UNAVAILABLE")
    assert "has not loaded the model 'ctc'" in error.message


@pytest.mark.parametrize("own", [{"model": "other"}, {"model_version": "9"}])
async def test_a_model_that_the_server_lacks_is_refused(
    server: KserveServer, ca: TestCa, own: dict[str, Any]
) -> None:
    error = await refusal(server, ca, **own)
    assert (error.code.name, error.reason) == ("FAILED_PRECONDITION", "MODEL_MISSING")
    assert "MAIE_ALIGNMENT_TRITON_MODEL" in error.message


def rename_input(model: kserve.ModelMetadataResponse) -> None:
    model.inputs[0].name = "audio\x1b[2J" * 100


def rename_output(model: kserve.ModelMetadataResponse) -> None:
    model.outputs[0].name = "embeddings"


def no_output(model: kserve.ModelMetadataResponse) -> None:
    del model.outputs[:]


def add_input(model: kserve.ModelMetadataResponse) -> None:
    model.inputs.add(name="sampling_rate", datatype="INT64", shape=[1])


def integers_in(model: kserve.ModelMetadataResponse) -> None:
    model.inputs[0].datatype = "INT16"


def text_out(model: kserve.ModelMetadataResponse) -> None:
    model.outputs[0].datatype = "BYTES"


def fixed_length(model: kserve.ModelMetadataResponse) -> None:
    model.inputs[0].shape[:] = [-1, 16000]


def flat_output(model: kserve.ModelMetadataResponse) -> None:
    model.outputs[0].shape[:] = [-1, len(TOKENS)]


def other_columns(model: kserve.ModelMetadataResponse) -> None:
    model.outputs[0].shape[:] = [-1, -1, len(TOKENS) + 1]


@pytest.mark.parametrize(
    ("describe", "words"),
    [
        (rename_input, "takes 'audio"),
        (rename_output, "gives 'embeddings'"),
        (no_output, "gives nothing"),
        (add_input, "'sampling_rate'"),
        (integers_in, "input_values as 'INT16'"),
        (text_out, "logits as 'BYTES'"),
        (fixed_length, "[-1, 16000]"),
        (flat_output, f"[-1, {len(TOKENS)}]"),
        (other_columns, f"[-1, -1, {len(TOKENS) + 1}]"),
    ],
)
async def test_a_model_that_cannot_be_run_is_refused_with_what_it_has(
    server: KserveServer, ca: TestCa, describe: Callable[[Any], None], words: str
) -> None:
    server.describe = describe
    error = await refusal(server, ca)
    assert (error.code.name, error.reason) == ("FAILED_PRECONDITION", "MODEL_SETTINGS_INVALID")
    assert words in error.message
    assert error.message.isprintable()
    assert len(error.message) < 500
    assert "ModelInfer" not in server.calls


async def test_names_of_other_exports_can_be_given(server: KserveServer, ca: TestCa) -> None:
    def renamed(model: kserve.ModelMetadataResponse) -> None:
        model.inputs[0].name, model.outputs[0].name = "INPUT__0", "OUTPUT__0"

    server.describe = renamed
    error = await refusal(server, ca)
    assert "'INPUT__0'" in error.message
    async with opened(server, ca, input="INPUT__0", output="OUTPUT__0"):
        pass


async def test_what_belongs_to_the_model_is_verified_here(server: KserveServer, ca: TestCa) -> None:
    (server.folder / "vocab.json").write_text('{"<pad>": 0, "A": 1}')
    error = await refusal(server, ca)
    assert (error.reason, server.calls) == (Reason.MODEL_CORRUPT, {})
    trust(server.folder)
    error = await refusal(server, ca, model_version="")
    assert error.reason == Reason.MODEL_SETTINGS_INVALID
    assert f"[-1, -1, {len(TOKENS)}]" in error.message


async def test_weights_need_not_be_here(server: KserveServer, ca: TestCa) -> None:
    (server.folder / "model.onnx").unlink()
    trust(server.folder)
    async with opened(server, ca) as engine:
        assert len(await engine.align(*as_tones())) == len(WORDS)
