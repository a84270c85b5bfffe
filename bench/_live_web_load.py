"""Speaks to a web part as many browsers do: `python -m bench._live_web_load FOLDER URL`.

The same as `bench._live_load`, over a WebSocket for each stream.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from bench._live_load import END_SECONDS, PART_BYTES, spoken_by
from bench.live_streams import PART_SECONDS

START = {
    "start": {
        "config": {
            "format": {"encoding": "LINEAR16", "sample_rate_hertz": 16000},
            "job": {"features": ["raw_transcript"]},
        }
    }
}


class BrowserMicrophone:
    """One stream.

    Args:
        url: The WebSocket.
        pcm: What is spoken.
    """

    def __init__(self, url: str, pcm: bytes) -> None:
        self._url = url
        self._pcm = pcm
        self._began = 0.0
        self._late: list[float] = []
        self._events: list[dict[str, Any]] = []

    async def speak(self, at: float) -> dict[str, Any]:
        """Speaks from a moment on, by the monotonic clock; gives what came of it."""
        await asyncio.sleep(at - time.monotonic())
        error = ""
        try:
            async with (
                asyncio.timeout(len(self._pcm) / PART_BYTES * PART_SECONDS + END_SECONDS),
                connect(self._url, proxy=None, compression=None) as socket,
            ):
                await socket.send(json.dumps(START))
                await socket.recv()
                self._began = time.monotonic()
                error = await self._converse(socket)
        except (WebSocketException, OSError, TimeoutError) as failed:
            error = type(failed).__name__
        return {"error": error, "late": self._late, "events": self._events, "began": self._began}

    async def _converse(self, socket: ClientConnection) -> str:
        sending = asyncio.create_task(self._send(socket))
        try:
            async for text in socket:
                event = json.loads(text)
                if "problem" in event:
                    return str(event["problem"]["detail"])
                self._take(event)
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        return "" if socket.close_code == 1000 else f"closed with {socket.close_code}"

    async def _send(self, socket: ClientConnection) -> None:
        for number, place in enumerate(range(0, len(self._pcm), PART_BYTES), start=1):
            due = self._began + number * PART_SECONDS
            await asyncio.sleep(due - time.monotonic())
            self._late.append(time.monotonic() - due)
            await socket.send(self._pcm[place : place + PART_BYTES])
        await socket.send(json.dumps({"end": {}}))

    def _take(self, event: dict[str, Any]) -> None:
        at = time.monotonic() - self._began
        if partial := event.get("partial"):
            span = partial["range"]
            self._note(at, "partial", span, partial["stable_text"], partial["unstable_text"])
        elif final := event.get("final"):
            self._note(at, "final", final["segment"], final["segment"]["text"], "")
        elif "lag" in event:
            self._events.append({"at": at, "kind": "lag"})
        elif warning := event.get("warning"):
            kind = warning["warning"]["reason"]
            self._events.append({"at": at, "kind": "warning", "stable": kind})

    def _note(self, at: float, kind: str, span: dict[str, str], stable: str, unstable: str) -> None:
        self._events.append(
            {
                "at": at,
                "kind": kind,
                "start": float(span["start_offset"].removesuffix("s")),
                "end": float(span["end_offset"].removesuffix("s")),
                "stable": stable,
                "unstable": unstable,
            }
        )


async def _load(folder: Path, address: str) -> None:
    url = f"ws://{address}/v1/live"
    await spoken_by(lambda pcm: BrowserMicrophone(url, pcm), folder)


def main() -> None:
    """Speaks until the last stream has ended."""
    asyncio.run(_load(Path(sys.argv[1]), sys.argv[2]))


if __name__ == "__main__":
    main()
