"""Speaks to another product as microphones do: `python _speak.py PRODUCT FOLDER ADDRESS`.

It runs in the environment of the products, and finds and writes what `bench._live_load` does:
`load.json` and one file of PCM for each stream, and `heard.json`. What it notes of a stream is the
text that the product calls settled, whole, each time that it changed.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

PART_SECONDS = 0.1
PART_BYTES = 3200

Begin = Callable[[ClientConnection], Awaitable[None]]
Settled = Callable[[dict[str, Any], dict[str, str]], str]


async def begin_whisper_live(line: ClientConnection) -> None:
    """Waits until the server listens."""
    options = {"uid": "bench", "language": "en", "task": "transcribe", "model": "tiny.en"}
    await line.send(json.dumps({**options, "use_vad": True, "audio_format": "int16"}))
    while json.loads(await line.recv()).get("message") != "SERVER_READY":
        pass


def settled_of_whisper_live(message: dict[str, Any], seen: dict[str, str]) -> str:
    """All segments that were completed; a message has the last ten."""
    for segment in message.get("segments", ()):
        if segment["completed"]:
            seen[segment["start"]] = segment["text"]
    return " ".join(seen.values())


async def begin_whisperlivekit(line: ClientConnection) -> None:
    """Waits until the server listens."""
    while json.loads(await line.recv()).get("type") != "config":
        pass


def settled_of_whisperlivekit(message: dict[str, Any], seen: dict[str, str]) -> str:
    """All lines; what may change is in a buffer apart."""
    if "lines" in message:
        seen[""] = " ".join(line.get("text") or "" for line in message["lines"])
    return seen.get("", "")


PROTOCOLS: dict[str, tuple[str, Begin, Settled]] = {
    "whisper-live": ("", begin_whisper_live, settled_of_whisper_live),
    "whisperlivekit": ("/asr", begin_whisperlivekit, settled_of_whisperlivekit),
}


async def speak(url: str, pcm: bytes, at: float, begin: Begin, settled: Settled) -> dict[str, Any]:
    """Speaks from a moment on, by the monotonic clock; gives what came of it."""
    await asyncio.sleep(at - time.monotonic())
    late: list[float] = []
    events: list[dict[str, Any]] = []
    error, began = "", 0.0
    try:
        async with connect(url, max_size=None) as line:
            await begin(line)
            began = time.monotonic()
            listening = asyncio.create_task(_listen(line, began, settled, events))
            for number, place in enumerate(range(0, len(pcm), PART_BYTES), start=1):
                due = began + number * PART_SECONDS
                await asyncio.sleep(due - time.monotonic())
                late.append(time.monotonic() - due)
                await line.send(pcm[place : place + PART_BYTES])
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
    except (ConnectionClosed, OSError) as failed:
        error = f"{type(failed).__name__}: {failed}"
    return {"error": error, "late": late, "events": events, "began": began}


async def _listen(
    line: ClientConnection, began: float, settled: Settled, events: list[dict[str, Any]]
) -> None:
    seen: dict[str, str] = {}
    last = ""
    async for message in line:
        text = settled(json.loads(message), seen)
        if text != last:
            events.append({"at": time.monotonic() - began, "kind": "settled", "stable": text})
            last = text


async def _load(product: str, folder: Path, address: str) -> None:
    path, begin, settled = PROTOCOLS[product]
    starts = json.loads((folder / "load.json").read_text())["starts"]
    recordings = [(folder / f"{number}.pcm").read_bytes() for number in range(len(starts))]
    now, url = time.monotonic(), f"ws://{address}{path}"
    heard = await asyncio.gather(
        *(
            speak(url, pcm, now + start, begin, settled)
            for pcm, start in zip(recordings, starts, strict=True)
        )
    )
    (folder / "heard.json").write_text(json.dumps(heard))


if __name__ == "__main__":
    asyncio.run(_load(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))
