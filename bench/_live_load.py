"""Speaks to a gateway as many microphones do: `python -m bench._live_load FOLDER ADDRESS`.

A process of its own, so that what it takes is not counted for the service. In the folder it finds
`load.json` and one file of PCM for each stream; it writes what came to `heard.json` there. Each
stream is a session with one track, which gets each message at the moment when its last sample has
been spoken. All times are in seconds from the beginning of the stream.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import grpc

from bench.live_streams import PART_SAMPLES, PART_SECONDS
from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.live.v1 import live_pb2 as live
from maie.live.v1.live_pb2_grpc import LiveServiceStub
from maie_cli.gateway import API_KEY
from maie_client.live.options import linear16

# After the last audio.
END_SECONDS = 30.0
PART_BYTES = PART_SAMPLES * 2


class Speaker(Protocol):
    """Speaks one stream."""

    async def speak(self, at: float) -> dict[str, Any]:
        """Speaks from a moment on, by the monotonic clock; gives what came of it."""
        ...


class Microphone:
    """One stream.

    Args:
        channel: The gateway.
        pcm: What is spoken.
        config: What to do with it.
        key: An API key; empty where the gateway needs none.
    """

    def __init__(
        self, channel: grpc.aio.Channel, pcm: bytes, config: live.SessionConfig, key: str
    ) -> None:
        self._stub: Any = LiveServiceStub(channel)
        self._metadata = (("authorization", f"Bearer {key}"),) if key else ()
        self._pcm = pcm
        self._config = config
        self._began = 0.0
        self._late: list[float] = []
        self._events: list[dict[str, Any]] = []

    async def speak(self, at: float) -> dict[str, Any]:
        """Speaks from a moment on, by the monotonic clock; gives what came of it."""
        await asyncio.sleep(at - time.monotonic())
        call = self._stub.Transcribe(metadata=self._metadata)
        try:
            async with asyncio.timeout(len(self._pcm) / PART_BYTES * PART_SECONDS + END_SECONDS):
                await call.write(
                    live.TranscribeRequest(start=live.StartSession(config=self._config))
                )
                await call.read()
                self._began = time.monotonic()
                await self._converse(call)
            error = ""
        except grpc.aio.AioRpcError as failed:
            error = f"{failed.code().name}: {failed.details()}"
        except (asyncio.InvalidStateError, TimeoutError) as failed:
            error = type(failed).__name__
        finally:
            call.cancel()
        return {"error": error, "late": self._late, "events": self._events, "began": self._began}

    async def _converse(self, call: Any) -> None:
        sending = asyncio.create_task(self._send(call))
        try:
            while (event := await call.read()) is not grpc.aio.EOF:
                self._take(event)
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def _send(self, call: Any) -> None:
        for number, place in enumerate(range(0, len(self._pcm), PART_BYTES), start=1):
            due = self._began + number * PART_SECONDS
            await asyncio.sleep(due - time.monotonic())
            self._late.append(time.monotonic() - due)
            content = self._pcm[place : place + PART_BYTES]
            audio = live.TrackAudio(sequence=number, content=content)
            await call.write(live.TranscribeRequest(audio=audio))
        await call.write(live.TranscribeRequest(end=live.EndSession()))
        await call.done_writing()

    def _take(self, event: live.TranscribeResponse) -> None:
        at = time.monotonic() - self._began
        match event.WhichOneof("event"):
            case "partial":
                of = event.partial
                self._note(at, "partial", of.range, of.stable_text, of.unstable_text)
            case "final":
                segment = event.final.segment
                span = common.TimeRange(
                    start_offset=segment.start_offset, end_offset=segment.end_offset
                )
                self._note(at, "final", span, segment.text, "")
            case "lag":
                self._events.append({"at": at, "kind": "lag"})
            case "warning":
                kind = event.warning.warning.reason
                self._events.append({"at": at, "kind": "warning", "stable": kind})

    def _note(
        self, at: float, kind: str, span: common.TimeRange, stable: str, unstable: str
    ) -> None:
        self._events.append(
            {
                "at": at,
                "kind": kind,
                "start": span.start_offset.ToNanoseconds() / 1e9,
                "end": span.end_offset.ToNanoseconds() / 1e9,
                "stable": stable,
                "unstable": unstable,
            }
        )


async def spoken_by(microphone: Callable[[bytes], Speaker], folder: Path) -> None:
    """Has all streams of a folder spoken, each at its moment, and writes what came of them.

    Args:
        microphone: Makes the one that speaks a stream, from its PCM.
        folder: The folder.
    """
    starts = json.loads((folder / "load.json").read_text())["starts"]
    # Files are read before anything is paced.
    speakers = [
        microphone((folder / f"{number}.pcm").read_bytes()) for number in range(len(starts))
    ]
    now = time.monotonic()
    speaking = (speaker.speak(now + start) for speaker, start in zip(speakers, starts, strict=True))
    heard = await asyncio.gather(*speaking)
    (folder / "heard.json").write_text(json.dumps(heard))


async def _load(folder: Path, address: str) -> None:
    key = os.environ.get(API_KEY, "")
    config = live.SessionConfig(
        format=linear16(),
        job=job.JobConfig(features=[job.FEATURE_RAW_TRANSCRIPT]),
    )
    async with grpc.aio.insecure_channel(address) as channel:
        await channel.channel_ready()
        await spoken_by(lambda pcm: Microphone(channel, pcm, config, key), folder)


def main() -> None:
    """Speaks until the last stream has ended."""
    asyncio.run(_load(Path(sys.argv[1]), sys.argv[2]))


if __name__ == "__main__":
    main()
