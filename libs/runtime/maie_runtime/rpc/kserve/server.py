"""A model on a server of the KServe v2 protocol."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, TypeVar

import grpc
import structlog
from google.protobuf.message import Message

from maie.kserve.v2 import inference_pb2 as kserve
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_runtime.rpc.kserve.connection import Connection
from maie_runtime.rpc.kserve.errors import CallErrors
from maie_runtime.rpc.kserve.settings import InferenceServerSettings
from maie_runtime.server_calls import ServerCalls, ServerUnavailable

log = structlog.get_logger()

SERVICE = "inference.GRPCInferenceService"
"""The service's name in the specification."""

ResponseT = TypeVar("ResponseT", bound=Message)


class InferenceServer:
    """Calls a model on a server.

    Args:
        settings: The server and the model.
        max_answer_bytes: The longest answer that the model can give.

    Attributes:
        errors: Makes the errors of this server.

    Raises:
        StageError: FAILED_PRECONDITION with CERTIFICATE_INVALID.
    """

    def __init__(self, settings: InferenceServerSettings, max_answer_bytes: int) -> None:
        self.errors = CallErrors(settings)
        self._settings = settings
        self._connection = Connection(settings, max_answer_bytes)
        self._limit = asyncio.Semaphore(settings.concurrency)
        self._calls = ServerCalls(settings.address, settings, self._paused, kind="inference")

    async def software(self) -> kserve.ServerMetadataResponse:
        """What the server is.

        Raises:
            StageError: As `CallErrors.of` maps it.
        """
        return await self._ask(
            "ServerMetadata", kserve.ServerMetadataRequest(), kserve.ServerMetadataResponse
        )

    async def model(self) -> kserve.ModelMetadataResponse:
        """What the model takes and gives, once server and model are ready.

        Raises:
            StageError: UNAVAILABLE with MODEL_UNAVAILABLE: they are not; others as `CallErrors.of`.
        """
        server = await self._ask(
            "ServerReady", kserve.ServerReadyRequest(), kserve.ServerReadyResponse
        )
        if not server.ready:
            raise self.errors.unavailable("is not ready")
        named = {"name": self._settings.model, "version": self._settings.model_version or None}
        model = await self._ask(
            "ModelReady", kserve.ModelReadyRequest(**named), kserve.ModelReadyResponse
        )
        try:
            # A server says only here that it has no such model.
            found = await self._ask(
                "ModelMetadata", kserve.ModelMetadataRequest(**named), kserve.ModelMetadataResponse
            )
        except ServerUnavailable as error:
            if model.ready:
                raise
            raise self._not_loaded() from error
        if not model.ready:
            raise self._not_loaded()
        return found

    async def infer(self, request: kserve.ModelInferRequest) -> kserve.ModelInferResponse:
        """Runs the model, with retries. Cancelling it cancels the call.

        Args:
            request: The inputs; the model is named here.

        Raises:
            StageError: As `CallErrors.of` maps it.
        """
        request.model_name = self._settings.model
        if self._settings.model_version:
            request.model_version = self._settings.model_version

        async def attempt() -> kserve.ModelInferResponse:
            async with self._limit:
                with self._calls.guarded():
                    return await self._call(
                        "ModelInfer",
                        request,
                        kserve.ModelInferResponse,
                        self._settings.call_seconds,
                    )

        return await self._calls.retrying(attempt)

    async def readiness(self, check: Callable[[], Awaitable[None]]) -> AsyncGenerator[bool, None]:
        """Yields whether the server can do its work, at each change; it can at first.

        Args:
            check: Raises StageError where it cannot.
        """
        is_ready = True
        while True:
            await asyncio.sleep(self._settings.probe_seconds)
            was_ready = is_ready
            try:
                await check()
                is_ready = True
            except StageError as error:
                is_ready = False
                if was_ready:
                    log.warning("inference.not_ready", reason=error.reason, error=error.message)
            if is_ready != was_ready:
                if is_ready:
                    self._calls.record_success()
                    log.info("inference.ready", server=self._settings.address)
                yield is_ready

    async def close(self) -> None:
        """Ends all calls."""
        await self._connection.close()

    async def _ask(self, method: str, request: Message, response: type[ResponseT]) -> ResponseT:
        """A call that a server answers at once."""
        return await self._call(method, request, response, self._settings.connect_seconds)

    async def _call(
        self, method: str, request: Message, response: type[ResponseT], seconds: float
    ) -> ResponseT:
        metadata = await self._connection.metadata()
        call: Any = self._connection.channel().unary_unary(
            f"/{SERVICE}/{method}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=response.FromString,
        )
        try:
            answer: ResponseT = await call(request, timeout=seconds, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            # Not "from" the error, whose text may repeat what was sent.
            raise self.errors.of(error, seconds) from None
        return answer

    def _not_loaded(self) -> ServerUnavailable:
        return self.errors.unavailable(f"has not loaded the model {self._settings.model!r}")

    def _paused(self, left: timedelta) -> ServerUnavailable:
        error = self.errors.unavailable("failed again and again")
        error.wait = error.retry_after = left
        return error


@asynccontextmanager
async def open_server(
    settings: InferenceServerSettings, max_answer_bytes: int
) -> AsyncIterator[InferenceServer]:
    """A server; nothing is asked of it yet.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_MISSING: the settings name none; or with
            CERTIFICATE_INVALID.
    """
    for name in ("address", "model"):
        if not getattr(settings, name):
            raise StageError(
                Code.FAILED_PRECONDITION,
                Reason.MODEL_MISSING,
                f"No model on an inference server is named; set {settings.variable(name)}.",
            )
    server = InferenceServer(settings, max_answer_bytes)
    try:
        yield server
    finally:
        await server.close()
