"""Calls live diarization over gRPC, as a gateway does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import grpc
import numpy as np

from maie.common.v1 import types_pb2 as common
from maie.diarization.v1 import streaming_pb2 as streaming
from maie.diarization.v1.streaming_pb2_grpc import StreamingDiarizationServiceStub
from maie_client.streams import write
from maie_core.durations import seconds
from maie_diarization.clustering.linkage import Floats
from maie_diarization.engine import SAMPLE_RATE, Samples, SpeechRange, Turn, Voice, own_space
from maie_diarization.live.service import LiveService
from maie_pipeline.bindings import BINDINGS
from maie_runtime.rpc.server import GrpcServer
from maie_runtime.rpc.stream_mount import StreamMount
from tests.diarization.voices import CALIBRATION, DIMENSIONS

Request = streaming.StreamingDiarizeRequest
Response = streaming.StreamingDiarizeResponse
END = Request(end=streaming.StreamingDiarizeEnd())


def same(level: int) -> int:
    """Each level is a voice of its own."""
    return level


def apart(voice: int) -> Floats:
    """Each voice is nothing like another one."""
    return np.eye(DIMENSIONS, dtype=np.float32)[voice % DIMENSIONS]


class PitchEngine:
    """Takes the level of a sound for a voice.

    Args:
        voice: The number of a level's voice.
        sound: How a voice sounds: its embedding.
    """

    description = "Levels as voices."
    calibration = CALIBRATION
    vram_bytes = 0
    weights = None

    def __init__(
        self, voice: Callable[[int], int] = same, sound: Callable[[int], Floats] = apart
    ) -> None:
        self._voice = voice
        self._sound = sound

    @property
    def version(self) -> common.EngineVersion:
        """See `Engine`."""
        return common.EngineVersion(engine="pitch", checkpoint_sha256="0" * 64)

    @property
    def embedding_space(self) -> str:
        """See `Engine`."""
        return own_space(self.version)

    def listen(
        self, samples: Samples, speech: Sequence[SpeechRange], heartbeat: Callable[[], None]
    ) -> list[Voice]:
        """See `Engine`."""
        levels = np.abs(samples)
        turns = defaultdict[int, list[Turn]](list)
        edges = [0, *(np.flatnonzero(np.diff(levels)) + 1).tolist(), len(levels)]
        for start, end in pairwise(edges):
            if level := int(levels[start]):
                turn = Turn(start=start / SAMPLE_RATE, end=end / SAMPLE_RATE)
                turns[self._voice(level)].append(turn)
        return [
            Voice(
                window=Turn(start=0.0, end=len(samples) / SAMPLE_RATE),
                turns=tuple(spoken),
                embedding=self._sound(voice),
                clean_duration=sum(turn.end - turn.start for turn in spoken),
            )
            for voice, spoken in turns.items()
        ]


def speech(level: int, seconds: float) -> Samples:
    """What `PitchEngine` takes for somebody."""
    return np.full(round(seconds * SAMPLE_RATE), level, np.int16)


def config(**fields: Any) -> Request:
    """The first message."""
    return Request(config=streaming.StreamingDiarizeConfig(**fields))


def parts(samples: Samples) -> Iterator[Request]:
    """Messages of half a second."""
    for start in range(0, len(samples), SAMPLE_RATE // 2):
        yield Request(audio=samples[start : start + SAMPLE_RATE // 2].astype("<i2").tobytes())


def of(responses: Sequence[Response], kind: str) -> list[Any]:
    """The events of a kind."""
    return [getattr(each, kind) for each in responses if each.WhichOneof("response") == kind]


def spoken(responses: Sequence[Response]) -> list[tuple[float, float, str]]:
    """Who speaks when, with turns that go on joined."""
    joined: list[tuple[float, float, str]] = []
    for turns in of(responses, "turns"):
        for turn in turns.turns:
            start, end = seconds(turn.range.start_offset), seconds(turn.range.end_offset)
            if joined and joined[-1][2] == turn.speaker and start - joined[-1][1] < 0.02:
                start = joined.pop()[0]
            joined.append((start, end, turn.speaker))
    return joined


@asynccontextmanager
async def served(live: LiveService | None) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to a server of live diarization."""
    binding = BINDINGS["diarization"].stream
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


class Call:
    """A call of one track."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        stub: Any = StreamingDiarizationServiceStub(channel)
        self._stream: Any = stub.StreamingDiarize()

    async def send(self, *requests: Request) -> None:
        """Sends messages, as fast as they are taken."""
        await self._stream.wait_for_connection()
        for request in requests:
            await write(self._stream, request)

    async def until(self, kind: str) -> Any:
        """Reads up to the next event of a kind, and gives it."""
        while True:
            response = await self._stream.read()
            assert response is not grpc.aio.EOF, f"the call ended before {kind}"
            if response.WhichOneof("response") == kind:
                return getattr(response, kind)

    async def rest(self) -> list[Response]:
        """Reads to the end."""
        responses = []
        while (response := await self._stream.read()) is not grpc.aio.EOF:
            responses.append(response)
        return responses


async def answers(channel: grpc.aio.Channel, *requests: Request) -> list[Response]:
    """All that one call answers."""
    call = Call(channel)
    await call.send(*requests)
    return await call.rest()
