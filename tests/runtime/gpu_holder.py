"""Takes a shared GPU again and again, and writes down each moment in which it uses it.

`python -m tests.runtime.gpu_holder NATS_URL DIARY NAME HOLD_SECONDS`
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time

from maie_runtime.bus.broker import open_broker
from maie_runtime.gpu.lease import GpuLease
from tests.runtime.gpus import open_lease

USE_SECONDS = 0.01


async def main(url: str, diary: str, name: str, hold_seconds: float) -> None:
    """Runs until it is killed."""
    file = os.open(diary, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def note(what: str, at: float, token: int) -> None:
        # The clock is the same in all processes; one short write does not mix with others.
        entry = {"what": what, "by": name, "at": at, "token": token}
        os.write(file, f"{json.dumps(entry)}\n".encode())

    async def use(hold: GpuLease) -> None:
        end = time.monotonic() + hold_seconds
        while (now := time.monotonic()) < end:
            if not hold.valid:
                note("lost", now, hold.token)
                return
            # The moment before the check: a freeze may come after it.
            note("use", now, hold.token)
            await asyncio.sleep(USE_SECONDS)

    async with open_broker(url, name) as broker, open_lease(broker, name) as lease:
        while True:
            hold = await lease.acquire()
            note("took", time.monotonic(), hold.token)
            await use(hold)
            await hold.release()


if __name__ == "__main__":
    url, diary, name, hold_seconds = sys.argv[1:]
    asyncio.run(main(url, diary, name, float(hold_seconds)))
