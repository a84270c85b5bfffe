"""A client's side of a live session, message by message."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from maie.job.v1 import job_pb2 as job
from maie.live.v1 import live_pb2 as live
from maie.live.v1 import live_pb2_grpc
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from tests.gateway.live.speech import RATE, pieces
from tests.waiting import PATIENCE_SECONDS, until

RAW = job.FEATURE_RAW_TRANSCRIPT
SPLIT = preprocess.CHANNEL_MODE_SPLIT


def linear16(rate: int = RATE, channels: int = 1, *, split: bool = False) -> live.AudioFormat:
    return live.AudioFormat(
        encoding=live.AUDIO_ENCODING_LINEAR16,
        sample_rate_hertz=rate,
        channels=channels,
        channel_mode=SPLIT if split else preprocess.CHANNEL_MODE_UNSPECIFIED,
    )


def config(**of_job: Any) -> live.SessionConfig:
    wanted = {"features": [RAW], **of_job}
    return live.SessionConfig(format=linear16(), job=job.JobConfig(**wanted))


def refined(**of_job: Any) -> live.SessionConfig:
    """A config that asks for refinements."""
    wanted = config(**{"features": [RAW, job.FEATURE_CLEAN_TRANSCRIPT], **of_job})
    wanted.refinements = True
    return wanted


class Conversation:
    """One call of Transcribe, whose events are read as they come.

    Attributes:
        events: All events so far.
        sent: The last sequence of each track, over all calls that share it.
    """

    def __init__(self, channel: grpc.aio.Channel, tenant: str = "", token: str = "") -> None:
        said = {"maie-tenant": tenant, "authorization": f"Bearer {token}" if token else ""}
        metadata = tuple((name, value) for name, value in said.items() if value)
        stub = live_pb2_grpc.LiveServiceStub(channel)
        self.call: Any = stub.Transcribe(metadata=metadata)
        self.events: list[live.TranscribeResponse] = []
        self.sent: defaultdict[str, int] = defaultdict(int)
        self.error: grpc.aio.AioRpcError | None = None
        self.over = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        try:
            async for event in self.call:
                self.events.append(event)
        except grpc.aio.AioRpcError as error:
            self.error = error
        except asyncio.CancelledError:
            pass
        finally:
            self.over.set()

    async def send(self, **message: Any) -> None:
        """Sends a message; dropped where the gateway has ended the call, as `failure` shows."""
        try:
            await self.call.write(live.TranscribeRequest(**message))
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            if not self.call.done():
                raise

    async def start(self, wanted: live.SessionConfig | None = None) -> live.SessionStarted:
        """Begins a session."""
        await self.send(start=live.StartSession(config=wanted or config()))
        return await self.started()

    async def resume(
        self, before: live.SessionStarted, after: int = 0, *, await_summary: bool = False
    ) -> live.SessionStarted:
        """Goes on with a session."""
        start = live.StartSession(
            session_id=before.session_id,
            resume_token=before.resume_token,
            after_sequence=after,
            await_summary=await_summary,
        )
        await self.send(start=start)
        return await self.started()

    async def started(self) -> live.SessionStarted:
        return (await self.next("started"))[0].started

    def of(self, kind: str) -> list[live.TranscribeResponse]:
        return [event for event in self.events if event.HasField(kind)]

    def finals(self) -> list[str]:
        """The finals so far: TRACK:TEXT, in their order."""
        return [f"{each.final.track}:{each.final.segment.text}" for each in self.of("final")]

    def refinements(self) -> list[str]:
        """The refinements so far: TRACK:TEXT, in their order."""
        found = (each.refinement for each in self.of("refinement"))
        return [f"{each.track}:{each.clean_text}" for each in found]

    async def next(self, kind: str, count: int = 1) -> list[live.TranscribeResponse]:
        """Waits for so many events of a kind."""
        found = await until(lambda: len(self.of(kind)) >= count or self.over.is_set())
        assert found
        assert len(self.of(kind)) >= count, (self.error, self.events[-3:])
        return self.of(kind)

    def number(self, track: str) -> int:
        self.sent[track] += 1
        return self.sent[track]

    async def audio(self, track: str, sound: bytes, seconds: float = 0.1) -> None:
        """Sends sound in numbered messages."""
        for piece in pieces(sound, seconds):
            await self.send(
                audio=live.TrackAudio(track=track, sequence=self.number(track), content=piece)
            )

    async def silence(self, track: str, seconds: float) -> None:
        message = live.TrackSilence(track=track, sequence=self.number(track))
        message.duration.FromNanoseconds(round(seconds * 1e9))
        await self.send(silence=message)

    async def finalize(self, track: str) -> None:
        await self.send(finalize=live.TrackFinalize(track=track, sequence=self.number(track)))

    async def leave(self, track: str) -> None:
        await self.send(leave=live.TrackLeave(track=track, sequence=self.number(track)))

    async def end(
        self, *, without_summary: bool = False, await_summary: bool = False
    ) -> live.SessionEnded:
        """Ends the session; gives its end."""
        end = live.EndSession(without_summary=without_summary, await_summary=await_summary)
        await self.send(end=end)
        return (await self.next("ended"))[0].ended

    async def summary(self) -> live.SessionSummary:
        """Waits for the summary, which is the last event of a call without an error."""
        (found,) = await self.next("summary")
        await self.over.wait()
        assert self.error is None
        assert self.events[-1] == found
        assert found.sequence == 0
        return found.summary

    async def received(self, track: str, sequence: int) -> None:
        """Waits until a message was read."""
        await until(lambda: self._received(track) >= sequence or self.over.is_set())
        assert self._received(track) >= sequence, self.error

    async def durable(self, track: str, sequence: int) -> None:
        """Waits until a message need not be sent again."""
        await until(lambda: self.durable_sequence(track) >= sequence or self.over.is_set())
        assert self.durable_sequence(track) >= sequence, self.error

    def durable_sequence(self, track: str) -> int:
        return max((each.durable_sequence for each in self._progress(track)), default=0)

    def _received(self, track: str) -> int:
        return max((each.received_sequence for each in self._progress(track)), default=0)

    def _progress(self, track: str) -> list[live.TrackProgress]:
        return [
            progress
            for event in self.of("acknowledged")
            for progress in event.acknowledged.tracks
            if progress.track == track
        ]

    async def failure(self) -> tuple[grpc.StatusCode, str]:
        """Waits until the call fails; gives its status and reason."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.over.wait()
        assert self.error is not None, self.events[-3:]
        return self.error.code(), reason_of(self.error)

    async def close(self) -> None:
        self.call.cancel()
        await self._reading


def details_of(
    error: grpc.aio.AioRpcError,
) -> tuple[error_details_pb2.ErrorInfo, error_details_pb2.RetryInfo]:
    """What an error says besides its status; empty where it says nothing."""
    status = rpc_status.from_call(error)  # type: ignore[arg-type]
    info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    for detail in status.details if status else ():
        detail.Unpack(info)
        detail.Unpack(retry)
    return info, retry


def reason_of(error: grpc.aio.AioRpcError) -> str:
    return details_of(error)[0].reason


def retry_of(talk: Conversation) -> timedelta:
    """The retry delay of a call's error; nothing where it has none."""
    assert talk.error is not None
    return details_of(talk.error)[1].retry_delay.ToTimedelta()


@asynccontextmanager
async def talking(address: str, tenant: str = "", token: str = "") -> AsyncIterator[Conversation]:
    """A call of Transcribe of its own; cancelled at the end."""
    async with grpc.aio.insecure_channel(address) as channel:
        conversation = Conversation(channel, tenant, token)
        try:
            yield conversation
        finally:
            await conversation.close()


def expected(track: str, words: Iterable[int]) -> list[str]:
    """The finals of words that were said with pauses."""
    return [f"{track}:w{each}" for each in words]
