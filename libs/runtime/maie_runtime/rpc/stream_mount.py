"""A stage's stream of requests as a gRPC method."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import grpc

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_pipeline.bindings import StreamBinding
from maie_runtime.rpc.mount import still_loading
from maie_runtime.worker.stage import Streams


class StreamMount:
    """Answers a stage's bidirectional RPC; before `serve` it gets UNAVAILABLE."""

    def __init__(self, server: grpc.aio.Server, binding: StreamBinding) -> None:
        self._streams: Streams | None = None
        self._ready = False
        self._setting = binding.setting
        method = grpc.stream_stream_rpc_method_handler(
            self._answer,
            request_deserializer=binding.request.FromString,
            response_serializer=binding.response.SerializeToString,
        )
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(binding.service, {binding.method: method}),)
        )

    def serve(self, streams: Streams | None) -> None:
        """Starts answering calls; with UNIMPLEMENTED where there is nothing that does."""
        self._streams, self._ready = streams, True

    async def _answer(self, requests: AsyncIterator[Any], _: Any) -> AsyncIterator[Any]:
        if self._streams is None:
            # A caller that grpcio refuses while it still writes sees INTERNAL and no reason.
            await anext(requests, None)
            if not self._ready:
                raise still_loading()
            raise StageError(
                Code.UNIMPLEMENTED,
                Reason.LIVE_OFF,
                f"This service does not take live speech; set {self._setting} above 0, or call "
                "another one.",
            )
        async with aclosing(self._streams.answer(requests)) as responses:
            async for response in responses:
                yield response
