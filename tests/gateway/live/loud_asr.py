"""An ASR replica whose engine is loudness: each loud stretch is an utterance, and its level a word.

A typed fake of the engine behind StreamingRecognize. What it says of a stretch depends on the
sound alone, so that a stretch that is sent again, or in other pieces, has the same text.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from maie.asr.v1 import streaming_pb2 as asr
from maie.asr.v1 import streaming_pb2_grpc
from maie.common.v1 import types_pb2 as common
from maie.event.v1 import event_pb2 as event
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_core.samples import duration, samples
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.presence import present
from maie_runtime.rpc.callers.mesh_certificate import MeshCertificate
from maie_runtime.rpc.server import GrpcServer
from maie_runtime.rpc.tls import ServerTls

ENGINE = common.EngineVersion(engine="loud")
FRAME = 320
LOUD = 500
LEVEL_STEP = 500
# Silence that ends an utterance, in samples.
MIN_SILENCE = 3200
# As the contract asks for, but more often, so that tests need not wait.
REPORT_SECONDS = 0.2
END = asr.StreamingRecognizeRequest()
SERVICE = "maie.asr.v1.StreamingAsrService"

Response = asr.StreamingRecognizeResponse


def level_of(word: int) -> int:
    """How loud a word is."""
    return 1000 + LEVEL_STEP * word


class LoudTrack:
    """The utterances of one call."""

    def __init__(self, config: asr.StreamingConfig, vocabulary: Mapping[int, str]) -> None:
        self._vocabulary = vocabulary
        self.position = samples(config.start_offset)
        self.settled = samples(config.settled_offset)
        self.utterance = config.next_utterance or 1
        self._rest = np.zeros(0, dtype=np.int16)
        self._begin: int | None = None
        self._end = 0
        self._levels: list[int] = []

    def audio(self, pcm: bytes) -> list[Response]:
        sound = np.concatenate([self._rest, np.frombuffer(pcm, dtype="<i2")])
        whole = len(sound) // FRAME * FRAME
        self._rest = sound[whole:]
        return [
            response
            for frame in sound[:whole].reshape(-1, FRAME)
            for response in self._frame(frame)
        ]

    def silence(self, count: int) -> list[Response]:
        whole = len(self._rest) + count
        return self.audio(b"\0\0" * min(count, 2 * MIN_SILENCE)) + self._skip(
            whole - min(count, 2 * MIN_SILENCE) - len(self._rest)
        )

    def _skip(self, count: int) -> list[Response]:
        self.position += max(count, 0)
        return []

    def _frame(self, frame: np.ndarray[Any, Any]) -> list[Response]:
        start, self.position = self.position, self.position + FRAME
        made: list[Response] = []
        if np.abs(frame).max() >= LOUD and start >= self.settled:
            if self._begin is None:
                self._begin, self._levels = start, []
                made.append(self._turn(asr.TURN_EVENT_STARTED, start))
            self._end = self.position
            self._levels.append(round((np.abs(frame).max() - 1000) / LEVEL_STEP))
        elif self._begin is not None and self.position - self._end >= MIN_SILENCE:
            made += self.finish(asr.END_REASON_SILENCE)
        return made

    def finish(self, reason: asr.EndReason) -> list[Response]:
        if self._begin is None:
            return []
        words = list(dict.fromkeys(self._levels))
        final = asr.StreamingFinal(
            utterance=self.utterance,
            text=" ".join(self._vocabulary.get(word, f"w{word}") for word in words),
            language_code="en",
            reason=reason,
            confidence=0.5,
        )
        final.range.start_offset.CopyFrom(duration(self._begin))
        final.range.end_offset.CopyFrom(duration(self._end))
        final.words.add(
            word=final.text,
            start_offset=final.range.start_offset,
            end_offset=final.range.end_offset,
        )
        ended = self._turn(asr.TURN_EVENT_ENDED, self._end, reason)
        self.settled, self._begin = self._end, None
        self.utterance += 1
        return [ended, Response(final=final)]

    def progress(self) -> Response:
        settled = self.position if self._begin is None else self._begin
        return Response(
            progress=asr.StreamingProgress(
                received_offset=duration(self.position + len(self._rest)),
                settled_offset=duration(max(settled, self.settled)),
            )
        )

    def partial(self) -> list[Response]:
        if self._begin is None:
            return []
        partial = asr.StreamingPartial(utterance=self.utterance, stable_text="w", stability=0.5)
        partial.range.start_offset.CopyFrom(duration(self._begin))
        partial.range.end_offset.CopyFrom(duration(self._end))
        return [Response(partial=partial)]

    def _turn(
        self, kind: asr.TurnEvent, place: int, reason: asr.EndReason = asr.END_REASON_UNSPECIFIED
    ) -> Response:
        turn = asr.StreamingTurn(
            utterance=self.utterance, event=kind, offset=duration(place), reason=reason
        )
        return Response(turn=turn)


@dataclass(kw_only=True)
class LoudAsr(streaming_pb2_grpc.StreamingAsrServiceServicer):
    """A replica.

    Attributes:
        configs: The configs of the calls that it answered, in order.
        configured: The changes of options that it received.
        open: How many calls it has.
        refusal: What it refuses calls with; None where it takes them.
        failure: What it fails with on loud audio; None where it does not.
        running: Cleared, it answers nothing more, as if it were frozen.
        leaving: Set, it goes away: it finishes utterances and takes no more audio.
        received: The samples that it received.
        behind: How far it says that it is behind, in seconds.
        thinning: How many times more seldom than asked for it says that partials come.
        vocabulary: What words it reads, where they are not "w1" and so on.
        punctuated: Whether it says that it writes punctuation.
        places: How many calls it takes at a time; None for any number.
    """

    configs: list[asr.StreamingConfig] = field(default_factory=list)
    configured: list[asr.StreamingOptions] = field(default_factory=list)
    open: int = 0
    refusal: StageError | None = None
    failure: StageError | None = None
    running: asyncio.Event = field(default_factory=asyncio.Event)
    leaving: asyncio.Event = field(default_factory=asyncio.Event)
    received: int = 0
    behind: float = 0.0
    thinning: int = 1
    vocabulary: Mapping[int, str] = field(default_factory=dict)
    punctuated: bool = False
    places: int | None = None

    def __post_init__(self) -> None:
        self.running.set()
        # Calls that have a place, from their beginning on.
        self._taken = 0

    async def StreamingRecognize(
        self, request_iterator: AsyncIterator[asr.StreamingRecognizeRequest], context: Any
    ) -> AsyncIterator[Response]:
        if self.refusal is not None:
            raise self.refusal
        if self.places is not None and self._taken >= self.places:
            raise busy()
        self._taken += 1
        try:
            async for response in self._recognize(request_iterator):
                yield response
        finally:
            self._taken -= 1

    async def _recognize(
        self, request_iterator: AsyncIterator[asr.StreamingRecognizeRequest]
    ) -> AsyncIterator[Response]:
        await self.running.wait()
        first = await anext(aiter(request_iterator))
        self.configs.append(first.config)
        track = LoudTrack(first.config, self.vocabulary)
        self.open += 1
        try:
            yield Response(
                ready=asr.StreamingReady(
                    engine=ENGINE, options=first.config.options, punctuated=self.punctuated
                )
            )
            async for request in self._with_pauses(request_iterator):
                await self.running.wait()
                if request is None:
                    yield self._progress(track)
                    continue
                if self.leaving.is_set():
                    yield Response(go_away=asr.StreamingGoAway())
                    for response in track.finish(asr.END_REASON_SHUTDOWN):
                        yield response
                    return
                for response in self._answers(track, request):
                    await self.running.wait()
                    yield response
                if request.HasField("end"):
                    return
                yield self._progress(track)
        finally:
            self.open -= 1

    async def _with_pauses(
        self, requests: AsyncIterator[asr.StreamingRecognizeRequest]
    ) -> AsyncIterator[asr.StreamingRecognizeRequest | None]:
        """The requests, and None now and then while none comes."""
        messages = aiter(requests)
        following = asyncio.ensure_future(anext(messages, END))
        try:
            while True:
                await asyncio.wait({following}, timeout=REPORT_SECONDS)
                if not following.done():
                    yield None
                elif (request := following.result()) is END:
                    return
                else:
                    following = asyncio.ensure_future(anext(messages, END))
                    yield request
        finally:
            following.cancel()

    def _progress(self, track: LoudTrack) -> Response:
        progress = track.progress()
        progress.progress.behind.FromNanoseconds(round(self.behind * 1e9))
        progress.progress.partial_thinning = self.thinning
        return progress

    def _answers(self, track: LoudTrack, request: asr.StreamingRecognizeRequest) -> list[Response]:
        match request.WhichOneof("request"):
            case "audio":
                self.received += len(request.audio) // 2
                made = track.audio(request.audio) + track.partial()
                if self.failure is not None and made:
                    raise self.failure
                return made
            case "silence":
                return track.silence(samples(request.silence))
            case "finalize":
                return track.finish(asr.END_REASON_FINALIZE)
            case "configure":
                self.configured.append(request.configure)
                return []
            case "end":
                return track.finish(asr.END_REASON_TRACK_END)
        return []


@dataclass(kw_only=True)
class Replica:
    """A replica that runs.

    Attributes:
        asr: What it does.
        server: Its server.
        address: Where it answers.
    """

    asr: LoudAsr
    server: GrpcServer
    address: str

    async def kill(self) -> None:
        """Breaks its calls at once and takes no more."""
        await self.server.server.stop(0)


async def _no_memory() -> event.WorkerMemory:
    return event.WorkerMemory()


@asynccontextmanager
async def replica(
    broker: Broker,
    name: str,
    tracks: int = 100,
    capabilities: Sequence[str] = (),
    tls: ServerTls | None = None,
) -> AsyncIterator[Replica]:
    """A replica that all gateways know of."""
    authenticators = (MeshCertificate(tls.files),) if tls else None
    server = GrpcServer("127.0.0.1:0", (SERVICE,), authenticators=authenticators, tls=tls)
    answers = LoudAsr()
    streaming_pb2_grpc.add_StreamingAsrServiceServicer_to_server(answers, server.server)
    await server.start()
    info = event.WorkerInfo(
        stage=common.STAGE_ASR,
        instance=name,
        address=server.address,
        live_tracks=tracks,
        models=[event.ModelInfo(capabilities=capabilities)] if capabilities else [],
    )
    try:
        async with present(broker, "asr", info, _no_memory):
            yield Replica(asr=answers, server=server, address=server.address)
    finally:
        answers.running.set()
        await server.server.stop(0)


def busy() -> StageError:
    """How a replica without a free place refuses a track."""
    return StageError(Code.RESOURCE_EXHAUSTED, Reason.LIVE_BUSY, "Busy.")
