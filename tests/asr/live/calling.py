"""Calls live recognition over gRPC, as a gateway does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import grpc

from maie.asr.v1 import streaming_pb2 as streaming
from maie.asr.v1 import streaming_pb2_grpc
from maie_asr.engine import SAMPLE_RATE, Samples
from maie_asr.live.service import LiveService
from maie_asr.settings import AsrSettings, LiveSettings
from maie_client.streams import write
from maie_pipeline.bindings import BINDINGS
from maie_runtime.rpc.server import GrpcServer
from maie_runtime.rpc.stream_mount import StreamMount
from tests.live_engine import InstantEngine, instant_stage

Request = streaming.StreamingRecognizeRequest
Response = streaming.StreamingRecognizeResponse
PART_SAMPLES = SAMPLE_RATE // 10
END = Request(end=streaming.StreamingEnd())
FINALIZE = Request(finalize=streaming.StreamingFinalize())


def config(**fields: Any) -> Request:
    """The first message."""
    return Request(config=streaming.StreamingConfig(**fields))


def parts(samples: Samples, size: int = PART_SAMPLES) -> Iterator[Request]:
    """Messages with audio."""
    for start in range(0, len(samples), size):
        yield Request(audio=samples[start : start + size].astype("<i2").tobytes())


def silence(seconds: float) -> Request:
    """A message with silence."""
    request = Request()
    request.silence.FromMicroseconds(round(seconds * 1e6))
    return request


def track(*pieces: Samples, **fields: Any) -> list[Request]:
    """A whole track."""
    audio = [message for piece in pieces for message in parts(piece)]
    return [config(**fields), *audio, END]


class Call:
    """A call of one track.

    Attributes:
        responses: What was answered, in order.
    """

    def __init__(self, channel: grpc.aio.Channel) -> None:
        stub = streaming_pb2_grpc.StreamingAsrServiceStub(channel)
        self._stream: Any = stub.StreamingRecognize()
        self.responses: list[Response] = []

    async def send(self, *requests: Request) -> None:
        """Sends messages, as fast as they are taken."""
        await self._stream.wait_for_connection()
        for request in requests:
            await write(self._stream, request)

    async def read_until(self, kind: str) -> Any:
        """Reads up to the next event of a kind, and gives it."""
        while True:
            response = await self._stream.read()
            assert response is not grpc.aio.EOF, f"the call ended before {kind}"
            self.responses.append(response)
            if response.WhichOneof("response") == kind:
                return getattr(response, kind)

    async def next(self) -> None:
        """Reads one event."""
        response = await self._stream.read()
        if response is not grpc.aio.EOF:
            self.responses.append(response)

    async def rest(self) -> list[Response]:
        """Reads to the end, and gives all that was answered."""
        while (response := await self._stream.read()) is not grpc.aio.EOF:
            self.responses.append(response)
        return self.responses

    def cancel(self) -> None:
        """Breaks the call off."""
        self._stream.cancel()


async def answers(channel: grpc.aio.Channel, requests: Iterable[Request]) -> list[Response]:
    """All that one call answers."""
    first, *others = requests
    call = Call(channel)
    await call.send(first)
    await call.next()
    sending = asyncio.create_task(call.send(*others))
    try:
        return await call.rest()
    finally:
        sending.cancel()
        await asyncio.wait({sending})
        if not sending.cancelled():
            sending.exception()


def of(responses: Sequence[Response], kind: str) -> list[Any]:
    """The events of a kind."""
    return [getattr(each, kind) for each in responses if each.WhichOneof("response") == kind]


def text(responses: Sequence[Response]) -> str:
    """The finals, joined."""
    return " ".join(final.text for final in of(responses, "final"))


@asynccontextmanager
async def served(live: LiveService | None) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to a server of live recognition."""
    binding = BINDINGS["asr"].stream
    assert binding is not None
    server = GrpcServer("127.0.0.1:0", (binding.service,))
    mount = StreamMount(server.server, binding)
    mount.serve(live)
    await server.start()
    try:
        async with grpc.aio.insecure_channel(server.address) as channel:
            yield channel
    finally:
        await server.stop(0)


@asynccontextmanager
async def instant(
    engine: InstantEngine | None = None, **options: Any
) -> AsyncIterator[tuple[grpc.aio.Channel, LiveService]]:
    """A server that reads tones; `options` are those of live speech."""
    settings = AsrSettings(live=LiveSettings(**{"workers": 2, **options}))
    async with instant_stage(settings, engine) as stage:
        live = stage.streams
        assert live is not None
        async with served(live) as channel:
            yield channel, live
