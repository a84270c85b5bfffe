"""A tenant that abuses a gateway, as a process: `python -m bench._abuser ADDRESS`, key on stdin.

It calls as fast as it is answered, over several connections; keeps opening streams that send
nothing, and uploads that crawl; and ignores every retry delay. It prints a line once it has begun,
and at the end of its input what came of its calls, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

import grpc

from maie.job.v1 import job_pb2 as job
from maie.job.v1 import job_pb2_grpc
from maie.live.v1 import live_pb2_grpc

CONNECTIONS = 8
CALLERS = 64
SILENT_STREAMS = 300
CRAWLING_UPLOADS = 100
# The other processes of a test on one machine go first: an abuser's machine is another one.
NICENESS = 19

Attempt = Callable[[], Awaitable[object]]


CONFIG = job.JobConfig(features=[job.FEATURE_RAW_TRANSCRIPT])


class Abuser:
    """What it does to a gateway.

    Args:
        address: The gateway's HOST:PORT.
        key: Its API key.

    Attributes:
        ends: How many attempts ended in which way.
    """

    def __init__(self, address: str, key: str) -> None:
        options = (("grpc.use_local_subchannel_pool", 1),)
        self._channels = [
            grpc.aio.insecure_channel(address, options=options) for _ in range(CONNECTIONS)
        ]
        self._metadata = (("authorization", f"Bearer {key}"),)
        self.ends: Counter[str] = Counter()

    async def run(self) -> None:
        """Abuses it until this is cancelled."""
        loops = []
        for number in range(CALLERS + SILENT_STREAMS + CRAWLING_UPLOADS):
            channel = self._channels[number % CONNECTIONS]
            jobs = job_pb2_grpc.JobServiceStub(channel)
            if number < CALLERS:
                loops.append(self._again("call", partial(self._call, jobs)))
            elif number < CALLERS + SILENT_STREAMS:
                talks = live_pb2_grpc.LiveServiceStub(channel)
                loops.append(self._again("stream", partial(self._stream, talks)))
            else:
                loops.append(self._again("upload", partial(self._upload, jobs)))
        await asyncio.gather(*loops)

    async def _call(self, jobs: job_pb2_grpc.JobServiceStub) -> None:
        await jobs.ListJobs(job.ListJobsRequest(page_size=100), metadata=self._metadata)

    async def _stream(self, talks: live_pb2_grpc.LiveServiceStub) -> None:
        """Sends nothing, and waits for what ends it."""
        call: Any = talks.Transcribe(metadata=self._metadata)
        while await call.read() is not grpc.aio.EOF:
            pass

    async def _upload(self, jobs: job_pb2_grpc.JobServiceStub) -> None:
        call: Any = jobs.CreateJob(metadata=self._metadata)
        await call.write(job.CreateJobRequest(upload=job.UploadPart(config=CONFIG)))
        while True:
            await call.write(job.CreateJobRequest(upload=job.UploadPart(audio=b"x")))
            await asyncio.sleep(1.0)

    async def _again(self, what: str, attempt: Attempt) -> None:
        while True:
            try:
                await attempt()
                self.ends[f"{what} OK"] += 1
            except grpc.aio.AioRpcError as error:
                self.ends[f"{what} {error.code().name}"] += 1
            except asyncio.InvalidStateError:
                # Its end came before what was written.
                self.ends[f"{what} ended"] += 1
            await asyncio.sleep(0)


async def _main(address: str) -> None:
    reading = asyncio.get_running_loop().run_in_executor
    key = (await reading(None, sys.stdin.readline)).strip()
    abuser = Abuser(address, key)
    running = asyncio.create_task(abuser.run())
    print("begun", flush=True)
    await reading(None, sys.stdin.read)
    print(json.dumps(abuser.ends), flush=True)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


if __name__ == "__main__":
    os.nice(NICENESS)
    asyncio.run(_main(sys.argv[1]))
