"""A stage as a gRPC method."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import timedelta
from typing import Any

import grpc

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_pipeline.bindings import StageBinding
from maie_runtime.blobs import Blobs
from maie_runtime.worker.call import answer
from maie_runtime.worker.host import Host
from maie_runtime.worker.stage import Stage

LOADING_RETRY_AFTER = timedelta(seconds=5)


class GrpcMount:
    """Answers a stage's RPC. Each call is a separate job; before `serve` it gets UNAVAILABLE."""

    def __init__(self, server: grpc.aio.Server, binding: StageBinding, blobs: Blobs) -> None:
        self._stage: Stage[Any, Any] | None = None
        self._host: Host | None = None
        self._blobs = blobs
        method = grpc.unary_stream_rpc_method_handler(
            self._answer,
            request_deserializer=binding.request.FromString,
            response_serializer=binding.response.SerializeToString,
        )
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(binding.service, {binding.method: method}),)
        )

    def serve(self, stage: Stage[Any, Any], host: Host) -> None:
        """Starts answering calls, with a stage whose model is loaded."""
        self._stage, self._host = stage, host

    async def _answer(self, request: Any, _: Any) -> AsyncIterator[Any]:
        if self._stage is None or self._host is None:
            raise still_loading()
        try:
            async with aclosing(answer(self._host, self._stage, request, self._blobs)) as responses:
                async for response in responses:
                    yield response
        except StageError as error:
            raise _discreet(error) from error


def still_loading() -> StageError:
    """The error before the model is loaded."""
    return StageError(
        Code.UNAVAILABLE,
        Reason.MODEL_LOADING,
        "The service is still loading its model; try again in a few seconds.",
        retry_after=LOADING_RETRY_AFTER,
    )


def _discreet(error: StageError) -> StageError:
    """Hides an object's digest from a direct caller: the digest is enough to read the object."""
    if error.reason not in (Reason.BLOB_MISSING, Reason.BLOB_CORRUPT):
        return error
    return StageError(
        Code.NOT_FOUND,
        Reason.BLOB_NOT_FOUND,
        "There is no stored object with this key and this SHA-256; store it, or send the content "
        "itself.",
    )
