"""A stage as a gRPC method."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import timedelta
from typing import Any
from uuid import uuid4

import grpc

from maie_pipeline.bindings import StageBinding
from maie_runtime import folders
from maie_runtime.blobs import Blobs
from maie_runtime.errors import Code, StageError
from maie_runtime.reasons import Reason
from maie_runtime.residency import Residency, Resident
from maie_runtime.stage import Stage, StageContext

LOADING_RETRY_AFTER = timedelta(seconds=5)


class GrpcMount:
    """Answers a stage's RPC. Each call is a job of its own.

    Attributes:
        stage: The stage; None while its model loads, when calls hear UNAVAILABLE.
        residency: How the stage's model comes into memory.
    """

    def __init__(self, server: grpc.aio.Server, binding: StageBinding, blobs: Blobs) -> None:
        self.stage: Stage[Any, Any] | None = None
        self.residency: Residency = Resident()
        self._blobs = blobs
        method = grpc.unary_stream_rpc_method_handler(
            self._answer,
            request_deserializer=binding.request.FromString,
            response_serializer=binding.response.SerializeToString,
        )
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(binding.service, {binding.method: method}),)
        )

    async def _answer(self, request: Any, _: Any) -> AsyncIterator[Any]:
        if self.stage is None:
            raise StageError(
                Code.UNAVAILABLE,
                Reason.MODEL_LOADING,
                "The service is still loading its model; try again in a few seconds.",
                retry_after=LOADING_RETRY_AFTER,
            )
        call_id = str(uuid4())
        context = StageContext(
            job_id=f"direct-{call_id}",
            unit="direct",
            attempt=1,
            blobs=self._blobs,
            folder=folders.of_direct_call(call_id),
        )
        try:
            async with (
                self.residency.use(),
                aclosing(self.stage.run(request, context)) as responses,
            ):
                async for response in responses:
                    yield response
        except StageError as error:
            raise _discreet(error) from error


def _discreet(error: StageError) -> StageError:
    """What a direct caller may hear of a stored object: whoever knows it names it by its digest."""
    if error.reason not in (Reason.BLOB_MISSING, Reason.BLOB_CORRUPT):
        return error
    return StageError(
        Code.NOT_FOUND,
        Reason.BLOB_NOT_FOUND,
        "There is no stored object with this key and this SHA-256; store it, or send the content "
        "itself.",
    )
