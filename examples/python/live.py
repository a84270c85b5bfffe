"""Prints what is said, while it is said, in 16-bit mono samples of 16 kHz from standard input.

arecord -q -t raw -f S16_LE -r 16000 | python examples/python/live.py
"""

import asyncio
import os
import sys

from maie_client import Client, LiveSession


async def main() -> None:
    """Sends standard input to a session, which reconnects by itself."""
    address = os.environ.get("MAIE_GATEWAY", "localhost:50051")
    async with Client(address) as client, client.live(features=["raw_transcript"]) as session:
        speaking = asyncio.create_task(speak(session))
        async for event in session:
            if event.HasField("final"):
                print(event.final.segment.text, flush=True)
        await speaking


async def speak(session: LiveSession) -> None:
    """Sends pieces of 100 ms, and ends."""
    while audio := await asyncio.to_thread(sys.stdin.buffer.read, 3200):
        await session.send(audio)
    await session.end()


if __name__ == "__main__":
    asyncio.run(main())
