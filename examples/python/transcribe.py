"""Prints what is said in a recording: python examples/python/transcribe.py FILE."""

import asyncio
import os
import sys

from maie_client import Client


async def main() -> None:
    """Follows the job of one recording."""
    async with Client(os.environ.get("MAIE_GATEWAY", "localhost:50051")) as client:
        async for event in client.process(sys.argv[1], features=["clean_transcript"]):
            if event.HasField("segment"):
                print(event.segment.text, file=sys.stderr)
            elif event.HasField("finished"):
                print(event.finished.job.results.clean_transcript)


if __name__ == "__main__":
    asyncio.run(main())
