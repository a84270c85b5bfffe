"""A server of models that speaks the KServe v2 protocol over TLS, and can fail as servers do.

It runs a model of ONNX. `python -m tests.alignment.kserve_server FOLDER CA_FOLDER` is one in a
process of its own, which can be killed.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import onnxruntime as ort

from maie.kserve.v2 import inference_pb2 as kserve
from tests.certificates import TestCa

MODEL, VERSION = "ctc", "3"
METHODS = {
    "ServerReady": kserve.ServerReadyRequest,
    "ServerMetadata": kserve.ServerMetadataRequest,
    "ModelReady": kserve.ModelReadyRequest,
    "ModelMetadata": kserve.ModelMetadataRequest,
    "ModelInfer": kserve.ModelInferRequest,
}
TYPES = {
    "tensor(float)": "FP32",
    "tensor(float16)": "FP16",
    "tensor(int64)": "INT64",
    "tensor(int32)": "INT32",
}
NUMBERS = {"FP32": "<f4", "FP16": "<f2", "INT64": "<i8", "INT32": "<i4"}


async def nothing(*_: Any) -> None:
    """Does nothing."""


@dataclass(kw_only=True)
class KserveServer:
    """What it does, and what it saw.

    Attributes:
        folder: The folder of the model.
        server_ready: Whether the server is ready.
        model_ready: Whether the model is.
        before: Runs before each inference, such as to wait or to end the call.
        describe: Changes what is said of the model.
        answer: Changes an answer.
        calls: How often each method was called.
        headers: The metadata of the last call.
        peers: Who called.
        running: The inferences that run now.
        most: The most that ran at a time.
        cancelled: The inferences that were cancelled.
        requests: The inputs of the inferences, by name.
    """

    folder: Path
    server_ready: bool = True
    model_ready: bool = True
    before: Callable[[Any], Awaitable[None]] = nothing
    describe: Callable[[kserve.ModelMetadataResponse], None] = lambda _: None
    answer: Callable[[kserve.ModelInferResponse], None] = lambda _: None
    calls: dict[str, int] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    peers: set[str] = field(default_factory=set)
    running: int = 0
    most: int = 0
    cancelled: int = 0

    def __post_init__(self) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = ort.InferenceSession(str(self.folder / "model.onnx"), options)

    def handler(self) -> grpc.GenericRpcHandler:
        """All methods."""
        methods: dict[str, Any] = {
            name: grpc.unary_unary_rpc_method_handler(
                getattr(self, name),
                request_deserializer=request.FromString,
                response_serializer=lambda response: response.SerializeToString(),
            )
            for name, request in METHODS.items()
        }
        return grpc.method_handlers_generic_handler("inference.GRPCInferenceService", methods)

    async def ServerReady(self, _: Any, context: Any) -> Any:
        self._note("ServerReady", context)
        return kserve.ServerReadyResponse(ready=self.server_ready)

    async def ServerMetadata(self, _: Any, context: Any) -> Any:
        self._note("ServerMetadata", context)
        return kserve.ServerMetadataResponse(name="own", version="1.0")

    async def ModelReady(self, request: Any, context: Any) -> Any:
        self._note("ModelReady", context)
        return kserve.ModelReadyResponse(ready=self.model_ready and self._has(request))

    async def ModelMetadata(self, request: Any, context: Any) -> Any:
        self._note("ModelMetadata", context)
        if not self._has(request):
            await context.abort(grpc.StatusCode.NOT_FOUND, "Request for unknown model")
        made = kserve.ModelMetadataResponse(name=MODEL, versions=[VERSION], platform="onnx")
        for tensors, found in (
            (made.inputs, self.session.get_inputs()),
            (made.outputs, self.session.get_outputs()),
        ):
            for each in found:
                shape = [size if isinstance(size, int) else -1 for size in each.shape]
                tensors.add(name=each.name, datatype=TYPES[each.type], shape=shape)
        self.describe(made)
        return made

    async def ModelInfer(self, request: Any, context: Any) -> Any:
        self._note("ModelInfer", context)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self.before(context)
            made = await asyncio.to_thread(self._infer, request)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1
        self.answer(made)
        return made

    def _infer(self, request: kserve.ModelInferRequest) -> kserve.ModelInferResponse:
        feed = {
            each.name: np.frombuffer(raw, NUMBERS[each.datatype]).reshape(each.shape)
            for each, raw in zip(request.inputs, request.raw_input_contents, strict=True)
        }
        ranks = {each.name: len(each.shape) for each in self.session.get_inputs()}
        feed = {
            name: value.reshape(value.shape[value.ndim - ranks[name] :])
            for name, value in feed.items()
        }
        wanted = [each.name for each in request.outputs]
        made = kserve.ModelInferResponse(model_name=request.model_name, model_version=VERSION)
        for name, value in zip(wanted, self.session.run(wanted, feed), strict=True):
            made.outputs.add(name=name, datatype="FP32", shape=value.shape)
            made.raw_output_contents.append(value.astype("<f4").tobytes())
        return made

    def _has(self, request: Any) -> bool:
        return request.name == MODEL and request.version in ("", VERSION)

    def _note(self, method: str, context: Any) -> None:
        self.calls[method] = self.calls.get(method, 0) + 1
        self.headers = dict(context.invocation_metadata())
        self.peers.add(context.peer())


@asynccontextmanager
async def serving(
    server: KserveServer,
    credentials: grpc.ServerCredentials | None,
    address: str = "127.0.0.1:0",
    **own_options: Any,
) -> AsyncIterator[str]:
    """Serves; gives the address."""
    own = grpc.aio.server(**{"options": [("grpc.so_reuseport", 0)], **own_options})
    own.add_generic_rpc_handlers([server.handler()])
    port = (
        own.add_insecure_port(address)
        if credentials is None
        else own.add_secure_port(address, credentials)
    )
    await own.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await own.stop(0)


def tls_of(ca: TestCa, *, clients: bool = False) -> grpc.ServerCredentials:
    """A certificate of a CA; with `clients`, those need one, too."""
    issued = ca.issue("server")
    return grpc.ssl_server_credentials(
        [(issued.key, issued.certificate)],
        ca.ca_file.read_bytes() if clients else None,
        require_client_auth=clients,
    )


async def _serve(folder: Path, ca_folder: Path) -> None:
    ca = TestCa(folder=ca_folder)
    server = KserveServer(folder=folder)

    async def killed(_: Any) -> None:
        print("infer", flush=True)
        await asyncio.Event().wait()

    server.before = killed
    async with serving(server, tls_of(ca)) as address:
        print(address, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), Path(sys.argv[2])))
