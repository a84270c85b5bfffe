"""The engine `triton` and a server of models: what it sends, and what comes of what servers do."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs

from maie.kserve.v2 import inference_pb2 as kserve
from maie_alignment.engine import Engine
from maie_alignment.engines.triton.engine import create
from maie_alignment.settings import AlignmentSettings, TritonSettings
from maie_alignment.stage import AlignStage
from maie_core.errors import StageError
from maie_core.reasons import Reason
from tests.alignment.ctc_model import TOKENS, trust, write_model
from tests.alignment.engine_cases import as_tones
from tests.alignment.kserve_server import MODEL, VERSION, KserveServer, serving, tls_of
from tests.certificates import TestCa, expired, not_yet_valid, replace
from tests.waiting import until

pytestmark = pytest.mark.unit

NO_RETRIES: dict[str, Any] = {"retry_seconds": 0.0}
# Any number of tries, quickly.
TRIES: dict[str, Any] = {"retry_seconds": 60.0, "breaker_failures": 1000}
SECRET = "s3cr3t-token"
WORDS = as_tones()[1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_model(tmp_path / "tones")


@pytest.fixture
def server(folder: Path) -> KserveServer:
    return KserveServer(folder=folder)


@pytest.fixture
def ca(tmp_path: Path) -> TestCa:
    return TestCa(folder=tmp_path / "ca")


def settings(address: str, folder: Path, ca: TestCa | None, **own: Any) -> AlignmentSettings:
    named = {"address": address, "model": MODEL, "model_path": folder}
    trusted = {"ca_file": ca.ca_file} if ca else {}
    return AlignmentSettings(slots=2, triton=TritonSettings(**{**named, **trusted, **own}))


@asynccontextmanager
async def opened(server: KserveServer, ca: TestCa, **own: Any) -> AsyncIterator[Engine]:
    """An engine on a server."""
    async with (
        serving(server, tls_of(ca)) as address,
        create(settings(address, server.folder, ca, **own)) as engine,
    ):
        yield engine


async def refusal(server: KserveServer, ca: TestCa, **own: Any) -> StageError:
    """Why an engine does not start."""
    with pytest.raises(StageError) as refused:
        async with opened(server, ca, **own):
            pass
    return refused.value


async def failure(engine: Engine) -> StageError:
    """Why audio could not be aligned."""
    with pytest.raises(StageError) as failed:
        await engine.align(*as_tones())
    return failed.value


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


# What is recorded, and what calls look like.


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


async def wait_not(_: Any) -> None:
    """Does not wait."""


# Who is trusted.


@pytest.mark.parametrize(
    ("header", "expected"),
    [("authorization", f"Bearer {SECRET}"), ("triton-grpc-protocol-key", SECRET)],
)
async def test_a_token_is_read_for_each_call(
    server: KserveServer, ca: TestCa, tmp_path: Path, header: str, expected: str
) -> None:
    token = tmp_path / "token"
    token.write_text(f"{SECRET}\n")
    with capture_logs() as logged:
        async with opened(server, ca, token_file=token, token_header=header) as engine:
            await engine.align(*as_tones())
            assert server.headers[header] == expected
            token.write_text("another")
            await engine.align(*as_tones())
            assert server.headers[header] == expected.replace(SECRET, "another")
            assert SECRET not in repr(engine.version) + engine.description
            token.unlink()
            error = await failure(engine)
    assert error.reason == Reason.MODEL_ACCESS_DENIED
    assert "MAIE_ALIGNMENT_TRITON_TOKEN_FILE" in error.message
    assert SECRET not in repr(logged)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"two\nlines", b"a" * 70_000])
async def test_what_is_no_token_is_refused_and_not_repeated(
    server: KserveServer, ca: TestCa, tmp_path: Path, content: bytes
) -> None:
    token = tmp_path / "token"
    token.write_bytes(content)
    error = await refusal(server, ca, token_file=token)
    assert error.reason == Reason.MODEL_ACCESS_DENIED
    assert "holds no token" in error.message
    assert not server.calls


async def test_a_server_that_asks_for_a_certificate_gets_it(
    server: KserveServer, ca: TestCa
) -> None:
    ca.files("alignment")
    own = ca.paths("alignment")
    async with serving(server, tls_of(ca, clients=True)) as address:
        async with create(
            settings(address, server.folder, ca, cert_file=own["certificate"], key_file=own["key"])
        ) as engine:
            assert len(await engine.align(*as_tones())) == len(WORDS)
        with pytest.raises(StageError) as refused:
            async with create(settings(address, server.folder, ca)):
                pass
    assert refused.value.reason == Reason.MODEL_UNAVAILABLE
    assert "MAIE_ALIGNMENT_TRITON_CERT_FILE" in refused.value.message


async def test_a_renewed_ca_is_taken_up_and_running_calls_go_on(
    server: KserveServer, ca: TestCa, tmp_path: Path
) -> None:
    release = asyncio.Event()

    async def wait(_: Any) -> None:
        await release.wait()

    other = TestCa(folder=tmp_path / "other")
    async with opened(server, ca, **NO_RETRIES) as engine:
        server.before = wait
        running = asyncio.create_task(engine.align(*as_tones()))
        await until(lambda: server.running)
        replace(ca.ca_file, other.ca_file.read_bytes())
        assert "does not trust" in (await failure(engine)).message
        replace(ca.ca_file, ca.made.certificate + other.ca_file.read_bytes())
        release.set()
        assert len(await engine.align(*as_tones())) == len(WORDS)
        assert len(await running) == len(WORDS)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda ca: TestCa(folder=ca.folder / "other").issue("server"), "does not trust"),
        (lambda ca: expired(ca, "server"), "has expired"),
        (lambda ca: not_yet_valid(ca, "server"), "is not yet valid"),
        (lambda ca: ca.issue("server", ["triton.example.com"]), "is for another name"),
    ],
)
async def test_a_certificate_that_cannot_be_trusted_is_one_sentence(
    server: KserveServer, ca: TestCa, make: Callable[[TestCa], Any], words: str
) -> None:
    issued = make(ca)
    credentials = grpc.ssl_server_credentials([(issued.key, issued.certificate)])
    async with serving(server, credentials) as address:
        with pytest.raises(StageError) as refused:
            async with create(settings(address, server.folder, ca, **TRIES)):
                pass
    error = refused.value
    assert (error.code.name, error.reason) == ("UNAVAILABLE", "MODEL_UNAVAILABLE")
    assert words in error.message
    assert address in error.message
    assert not server.calls


async def test_a_name_of_the_certificate_may_be_given(server: KserveServer, ca: TestCa) -> None:
    issued = ca.issue("server", ["triton.example.com"])
    credentials = grpc.ssl_server_credentials([(issued.key, issued.certificate)])
    async with serving(server, credentials) as address:
        own = settings(address, server.folder, ca, server_name="triton.example.com")
        async with create(own) as engine:
            assert len(await engine.align(*as_tones())) == len(WORDS)


async def test_a_server_without_tls_needs_a_setting(server: KserveServer, ca: TestCa) -> None:
    async with serving(server, None) as address:
        with pytest.raises(StageError, match="MAIE_ALIGNMENT_TRITON_TLS=false"):
            async with create(settings(address, server.folder, ca)):
                pass
        async with create(settings(address, server.folder, None, tls=False)) as engine:
            assert len(await engine.align(*as_tones())) == len(WORDS)


async def test_a_server_with_tls_says_that_it_is_needed(server: KserveServer, ca: TestCa) -> None:
    async with serving(server, tls_of(ca)) as address:
        with pytest.raises(StageError, match="want TLS") as refused:
            async with create(settings(address, server.folder, None, tls=False)):
                pass
    assert refused.value.reason == Reason.MODEL_UNAVAILABLE


async def test_files_of_certificates_that_cannot_be_used_are_named(folder: Path) -> None:
    own = settings("127.0.0.1:1", folder, None, ca_file=folder / "none.crt")
    with pytest.raises(StageError, match=r"none\.crt") as refused:
        async with create(own):
            pass
    assert refused.value.reason == Reason.CERTIFICATE_INVALID


@pytest.mark.parametrize(
    ("own", "words"),
    [
        ({"address": "https://triton:8001"}, "without a scheme"),
        ({"address": "triton"}, "HOST:PORT"),
        ({"address": "triton:99999"}, "HOST:PORT"),
        ({"cert_file": "a.crt"}, "belong together"),
        ({"tls": False, "ca_file": "a.crt"}, "TLS, which is off"),
        ({"tls": False, "token_file": "token"}, "needs TLS"),
        ({"token_header": "a-bin"}, "carry no token"),
        ({"token_header": "Two words"}, "pattern"),
        ({"input": "audio"}, "belong together"),
        ({"model_version": "latest"}, "pattern"),
    ],
)
def test_settings_that_contradict_themselves_are_refused(own: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        TritonSettings(**own)


@pytest.mark.parametrize("name", ["address", "model"])
async def test_what_is_not_named_is_asked_for(folder: Path, name: str) -> None:
    own: dict[str, Any] = {"address": "127.0.0.1:1", "model": MODEL, name: ""}
    with pytest.raises(StageError, match=f"MAIE_ALIGNMENT_TRITON_{name.upper()}") as refused:
        async with create(AlignmentSettings(triton=TritonSettings(**own, model_path=folder))):
            pass
    assert refused.value.reason == Reason.MODEL_MISSING


# What is there.


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


# What comes back.


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


# What fails, and what passes.


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (grpc.StatusCode.UNAUTHENTICATED, "FAILED_PRECONDITION", "MODEL_ACCESS_DENIED"),
        (grpc.StatusCode.PERMISSION_DENIED, "FAILED_PRECONDITION", "MODEL_ACCESS_DENIED"),
        (grpc.StatusCode.NOT_FOUND, "FAILED_PRECONDITION", "MODEL_MISSING"),
        (grpc.StatusCode.UNIMPLEMENTED, "FAILED_PRECONDITION", "MODEL_REQUEST_REFUSED"),
        (grpc.StatusCode.INVALID_ARGUMENT, "FAILED_PRECONDITION", "MODEL_REQUEST_REFUSED"),
        (grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE", "MODEL_UNAVAILABLE"),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "UNAVAILABLE", "MODEL_UNAVAILABLE"),
        (grpc.StatusCode.INTERNAL, "UNAVAILABLE", "MODEL_UNAVAILABLE"),
        (grpc.StatusCode.UNKNOWN, "UNAVAILABLE", "MODEL_UNAVAILABLE"),
        (grpc.StatusCode.CANCELLED, "UNAVAILABLE", "MODEL_UNAVAILABLE"),
    ],
)
async def test_a_status_of_the_server_is_one_sentence_without_its_text(
    server: KserveServer, ca: TestCa, status: grpc.StatusCode, code: str, reason: str
) -> None:
    async def refuse(context: Any) -> None:
        await context.abort(status, SECRET)

    server.before = refuse
    with capture_logs() as logged:
        async with opened(server, ca, **NO_RETRIES) as engine:
            error = await failure(engine)
    assert (error.code.name, error.reason) == (code, reason)
    assert SECRET not in error.message + repr(logged)
    assert all(word not in repr(logged) for word in WORDS if len(word) > 3)


async def test_triton_says_in_its_own_way_that_a_token_is_missing(
    server: KserveServer, ca: TestCa
) -> None:
    async def refuse(context: Any) -> None:
        text = "This protocol is restricted, expecting header 'triton-grpc-protocol-key'"
        await context.abort(grpc.StatusCode.UNAVAILABLE, text)

    server.before = refuse
    async with opened(server, ca, **TRIES) as engine:
        error = await failure(engine)
    assert error.reason == Reason.MODEL_ACCESS_DENIED
    assert server.calls["ModelInfer"] == 1


async def test_what_passes_is_tried_again(server: KserveServer, ca: TestCa) -> None:
    async def fail_twice(context: Any) -> None:
        if server.calls["ModelInfer"] <= 2:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "")

    server.before = fail_twice
    async with opened(server, ca, **TRIES) as engine:
        assert len(await engine.align(*as_tones())) == len(WORDS)
    assert server.calls["ModelInfer"] == 3


async def test_a_slow_answer_is_not_waited_for(server: KserveServer, ca: TestCa) -> None:
    async def hang(_: Any) -> None:
        await asyncio.Event().wait()

    server.before = hang
    async with opened(server, ca, call_seconds=0.3, **NO_RETRIES) as engine:
        error = await failure(engine)
        await until(lambda: server.cancelled)
    assert (error.code.name, error.reason) == ("UNAVAILABLE", "MODEL_UNAVAILABLE")
    assert "did not answer within 0.3 s" in error.message


async def test_the_breaker_opens_after_failures_in_a_row(server: KserveServer, ca: TestCa) -> None:
    async def refuse(context: Any) -> None:
        await context.abort(grpc.StatusCode.INTERNAL, "")

    server.before = refuse
    async with opened(server, ca, breaker_failures=2, **NO_RETRIES) as engine:
        for _ in range(2):
            await failure(engine)
        error = await failure(engine)
    assert "failed again and again" in error.message
    assert error.retry_after is not None
    assert server.calls["ModelInfer"] == 2


async def test_a_server_that_is_killed_is_left_and_found_again(
    server: KserveServer, ca: TestCa
) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.alignment.kserve_server", str(server.folder), str(ca.folder)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        address = (await process.stdout.readline()).decode().strip()
        async with create(settings(address, server.folder, ca, **TRIES)) as engine:
            call = asyncio.create_task(engine.align(*as_tones()))
            assert await process.stdout.readline() == b"infer\n"
            process.send_signal(signal.SIGKILL)
            await process.wait()
            # The CA is that of the process.
            issued = ca.folder / "ca.crt"
            renewed = TestCa(folder=ca.folder / "renewed")
            replace(issued, renewed.ca_file.read_bytes())
            async with serving(server, tls_of(renewed), address):
                assert len(await call) == len(WORDS)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_server_that_is_killed_mid_way_is_one_sentence(
    server: KserveServer, ca: TestCa
) -> None:
    async def hang(_: Any) -> None:
        await asyncio.Event().wait()

    server.before = hang
    async with AsyncExitStack() as stack:
        there = AsyncExitStack()
        address = await there.enter_async_context(serving(server, tls_of(ca)))
        engine = await stack.enter_async_context(
            create(settings(address, server.folder, ca, **NO_RETRIES))
        )
        call = asyncio.create_task(failure(engine))
        await until(lambda: server.running)
        await there.aclose()
        error = await call
    assert (error.code.name, error.reason) == ("UNAVAILABLE", "MODEL_UNAVAILABLE")


# Readiness.


async def test_readiness_follows_the_server(server: KserveServer, ca: TestCa) -> None:
    async with opened(server, ca, probe_seconds=0.02) as engine:
        changes = engine.readiness()  # type: ignore[attr-defined] # not of all engines
        server.model_ready = False
        assert not await anext(changes)
        server.model_ready = True
        assert await anext(changes)
        server.describe = rename_output
        assert not await anext(changes)
        server.describe = lambda _: None
        assert await anext(changes)
        server.server_ready = False
        assert not await anext(changes)
        await changes.aclose()


async def test_readiness_follows_a_server_that_goes_and_comes(
    server: KserveServer, ca: TestCa
) -> None:
    there = AsyncExitStack()
    address = await there.enter_async_context(serving(server, tls_of(ca)))
    own = settings(address, server.folder, ca, probe_seconds=0.02)
    async with create(own) as engine:
        changes = engine.readiness()
        await there.aclose()
        assert not await anext(changes)
        async with serving(server, tls_of(ca), address):
            assert await anext(changes)
        await changes.aclose()


async def test_a_server_that_is_ready_again_is_called_at_once(
    server: KserveServer, ca: TestCa
) -> None:
    async def refuse(context: Any) -> None:
        await context.abort(grpc.StatusCode.UNAVAILABLE, "")

    server.before = refuse
    own: dict[str, Any] = {"breaker_failures": 1, "breaker_pause_seconds": 600.0, **NO_RETRIES}
    async with opened(server, ca, probe_seconds=0.02, **own) as engine:
        changes = engine.readiness()  # type: ignore[attr-defined] # not of all engines
        await failure(engine)
        assert "failed again and again" in (await failure(engine)).message
        server.model_ready = False
        assert not await anext(changes)
        server.model_ready, server.before = True, wait_not
        assert await anext(changes)
        assert len(await engine.align(*as_tones())) == len(WORDS)
        await changes.aclose()


async def test_the_stage_follows_its_engine(server: KserveServer, ca: TestCa) -> None:
    async with opened(server, ca, probe_seconds=0.02) as engine:
        with ThreadPoolExecutor(1) as executor:
            changes = AlignStage(engine, executor).readiness()
            server.model_ready = False
            assert not await anext(changes)
            await changes.aclose()
