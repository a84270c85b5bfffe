"""The far side of live sessions: gateways with one truth, whose calls break where a test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from maie.catalog.v1 import catalog_pb2_grpc as catalog_grpc
from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2_grpc as job_grpc
from maie.live.v1 import live_pb2 as live
from maie.live.v1 import live_pb2_grpc as live_grpc
from maie_client import linear16
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_runtime.rpc.server import GrpcServer
from tests.client.fake_gateway import FakeCatalog, FakeJobs

SESSION_ID = "0197c1a2-0000-7000-8000-00000000000a"
TOKEN = "a secret"
UTTERANCE = 3
"""So many messages with audio are an utterance."""

Break = Literal["refuse", "end", "go_away", "vanish"]
BREAKS: tuple[Break, ...] = ("refuse", "end", "go_away")


class BreakHereError(Exception):
    """A call breaks here."""


@dataclass
class Track:
    """A track as one call has it."""

    received: int = 0
    pending: list[str] = field(default_factory=list)


@dataclass
class Truth:
    """What all gateways know of the one session, and what happens to their calls.

    Attributes:
        breaks: How the call breaks at which point, counted over all calls.
        points: How many points there were.
        settles: Whether audio becomes durable.
        reads: What the words of a message are.
        summary: What becomes of the session.
        dropped: The reason for which each track is dropped in calls where it begins.
    """

    breaks: Mapping[int, Break] = field(default_factory=dict)
    points: int = 0
    settles: bool = True
    reads: Callable[[bytes], str] = bytes.decode
    dropped: dict[str, Reason] = field(default_factory=dict)
    refusal: StageError | None = None
    summary: live.SessionSummary = field(default_factory=live.SessionSummary)
    starts: list[live.StartSession] = field(default_factory=list)
    received: list[live.TranscribeRequest] = field(default_factory=list)
    log: list[live.TranscribeResponse] = field(default_factory=list)
    durable: dict[str, int] = field(default_factory=dict)
    epoch: int = 0
    keep_alives: int = 0

    @property
    def ended(self) -> bool:
        return bool(self.log) and self.log[-1].HasField("ended")

    def texts(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for event in self.log:
            if event.HasField("final"):
                found.setdefault(event.final.track, []).append(event.final.segment.text)
        return found

    def point(self) -> Break | None:
        self.points += 1
        return self.breaks.get(self.points)

    def progress(self) -> list[live.TrackProgress]:
        return [
            live.TrackProgress(track=track, received_sequence=number, durable_sequence=number)
            for track, number in self.durable.items()
        ]


class Call:
    """One call of the session."""

    def __init__(self, truth: Truth) -> None:
        self.truth = truth
        truth.epoch += 1
        self.epoch = truth.epoch
        self.tracks = {name: Track(received=last) for name, last in truth.durable.items()}
        self.dropped: dict[str, Reason | None] = {}  # a track is dropped for a whole call

    async def answers(self, requests) -> AsyncIterator[live.TranscribeResponse]:
        start = (await anext(requests)).start
        self.truth.starts.append(start)
        yield live.TranscribeResponse(
            started=live.SessionStarted(
                session_id=SESSION_ID,
                resume_token=TOKEN,
                config=live.SessionConfig(format=start.config.format or linear16()),
                tracks=self.truth.progress(),
            )
        )
        for event in self.truth.log[start.after_sequence :]:
            yield event
        if self.truth.ended and start.await_summary:
            yield live.TranscribeResponse(summary=self.truth.summary)
        if self.truth.ended:
            return
        async for request in requests:
            async for answer in self.take(request):
                yield answer
            if self.truth.ended and request.end.await_summary:
                yield live.TranscribeResponse(summary=self.truth.summary)
            if self.truth.ended:
                return

    async def take(self, request: live.TranscribeRequest) -> AsyncIterator[live.TranscribeResponse]:
        kind = request.WhichOneof("request")
        self.truth.received.append(request)
        if kind == "keep_alive":
            self.truth.keep_alives += 1
        elif kind == "end":
            for track in list(self.tracks):
                for event in self.finish(track):
                    yield event
            yield self.commit(live.TranscribeResponse(ended=live.SessionEnded(job_id=SESSION_ID)))
        elif kind != "configure":
            about = getattr(request, kind)
            async for event in self.about(about.track, about.sequence, kind, request):
                yield event

    async def about(
        self, name: str, sequence: int, kind: str, request: live.TranscribeRequest
    ) -> AsyncIterator[live.TranscribeResponse]:
        if reason := self.dropped.setdefault(name, self.truth.dropped.get(name)):
            warning = common.Warning(reason=reason, message="Not here.")
            yield live.TranscribeResponse(
                warning=live.SessionWarning(track=name, warning=warning, track_dropped=True)
            )
            return
        track = self.tracks.setdefault(name, Track())
        if sequence <= track.received:
            return
        if sequence > track.received + 1:
            raise StageError(Code.INVALID_ARGUMENT, Reason.AUDIO_SEQUENCE_GAP, "A gap.")
        track.received = sequence
        if kind == "audio":
            track.pending.append(self.truth.reads(request.audio.content))
            yield live.TranscribeResponse(
                partial=live.Partial(track=name, stable_text=" ".join(track.pending))
            )
        if kind in ("finalize", "leave") or len(track.pending) == UTTERANCE:
            for event in self.finish(name):
                yield event
        if not track.pending and self.truth.settles:
            self.truth.durable[name] = sequence
        yield live.TranscribeResponse(
            acknowledged=live.Acknowledged(
                tracks=[
                    live.TrackProgress(
                        track=name,
                        received_sequence=sequence,
                        durable_sequence=self.truth.durable.get(name, 0),
                    )
                ]
            )
        )

    def finish(self, name: str) -> list[live.TranscribeResponse]:
        """The final of a track's utterance, stored, and its audio durable with it."""
        track = self.tracks[name]
        text, track.pending = " ".join(track.pending), []
        if not text:
            return []
        final = live.Final(track=name)
        final.segment.text = text
        stored = self.commit(live.TranscribeResponse(final=final))
        if self.truth.settles:
            self.truth.durable[name] = track.received
        return [stored]

    def commit(self, event: live.TranscribeResponse) -> live.TranscribeResponse:
        if self.epoch != self.truth.epoch:
            raise StageError(Code.ABORTED, Reason.SESSION_TAKEN_OVER, "Another call has it.")
        event.sequence = len(self.truth.log) + 1
        self.truth.log.append(event)
        return event


class FakeLive(live_grpc.LiveServiceServicer):
    """A gateway; all with the same truth are of one mesh."""

    def __init__(self, truth: Truth) -> None:
        self.truth = truth

    async def Transcribe(self, requests, context):
        if self.truth.refusal:
            raise self.truth.refusal
        try:
            async for answer in Call(self.truth).answers(self.cut(aiter(requests))):
                self.check()  # what is stored may not arrive
                yield answer
        except BreakHereError as broken:
            match broken.args[0]:
                case "refuse":
                    raise StageError(
                        Code.UNAVAILABLE, Reason.GATEWAY_DRAINING, "The gateway is stopping."
                    ) from None
                case "go_away":
                    yield live.TranscribeResponse(
                        go_away=live.GoAway(time_left=timedelta(seconds=1))
                    )
                    await asyncio.Event().wait()
                case "vanish":
                    await asyncio.Event().wait()

    async def GetSession(self, request, context):
        if request.resume_token != TOKEN:
            raise StageError(Code.PERMISSION_DENIED, Reason.RESUME_TOKEN_INVALID, "Not the token.")
        return live.GetSessionResponse(
            ended=self.truth.ended,
            last_sequence=len(self.truth.log),
            tracks=self.truth.progress(),
        )

    async def cut(self, requests):
        async for request in requests:
            self.check()  # what was sent may not arrive
            yield request

    def check(self) -> None:
        if how := self.truth.point():
            raise BreakHereError(how)


@asynccontextmanager
async def live_gateway(
    truth: Truth, address: str = "127.0.0.1:0", jobs: FakeJobs | None = None
) -> AsyncIterator[str]:
    """A gateway that answers; gives its address. Leaving it breaks off every call."""
    server = GrpcServer(address, ("maie.live.v1.LiveService",))
    live_grpc.add_LiveServiceServicer_to_server(FakeLive(truth), server.server)
    job_grpc.add_JobServiceServicer_to_server(jobs or FakeJobs([]), server.server)
    catalog_grpc.add_CatalogServiceServicer_to_server(FakeCatalog(), server.server)
    await server.start()
    await server.set_serving(True)
    try:
        yield server.address
    finally:
        await server.stop(0)
