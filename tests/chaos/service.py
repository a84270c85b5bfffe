"""A stage's service for chaos: `python -m tests.chaos.service STAGE`.

Each unit takes a moment, so that a fault finds work in hand. What a recording
holds can make it special: POISON kills every worker that transcribes it, SLOW
takes longer than the ack_wait, FLAKY fails once for a while, and TALKATIVE
makes a worker tell megabytes of segments.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from google.protobuf.message import Message
from pydantic_settings import SettingsConfigDict

from maie.asr.v1 import asr_pb2 as asr
from maie.common.v1 import types_pb2 as common
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_core.settings import ServiceSettings
from maie_runtime import folders
from maie_runtime.blobs import Blobs
from maie_runtime.worker.server import run_service
from maie_runtime.worker.stage import StageContext
from tests.empty_stages import EmptyStage, empty_stages

POISON = b"poison"
SLOW = b"slow"
FLAKY = b"flaky"
TALKATIVE = b"talkative"
CHUNKS = 3
UNIT_SECONDS = (0.02, 0.2)
# Longer than the ack_wait that chaos runs with.
SLOW_SECONDS = 5.0
TALK_SEGMENTS = 1500
TALK_PAUSE_SECONDS = 0.01
TALK_CHARS = 16_000


class ChaosStage(EmptyStage):
    """A stage that reads what it is given and takes a moment, and more over special recordings."""

    @asynccontextmanager
    async def opened(self, blobs: Blobs) -> AsyncIterator[EmptyStage]:
        """The stage as `serve_stage` opens it."""
        self._blobs = blobs
        yield self

    async def run(self, request: Any, context: StageContext) -> AsyncGenerator[Any, None]:
        """Answers one request."""
        # A folder that is away and comes back is not there for an instant, as a bucket never is.
        if self._blobs.scheme == "s3":
            for blob in blobs_of(request):
                await self._blobs.get(blob)
        recording = await self._recording(context.job_id)
        if context.unit.startswith("asr") and POISON in recording:
            os.abort()
        if context.unit == "asr.0000" and SLOW in recording:
            await asyncio.sleep(SLOW_SECONDS)
        if context.unit == "asr.0001" and context.attempt == 1 and FLAKY in recording:
            raise StageError(Code.UNAVAILABLE, Reason.FAULT_INJECTED, "It works the next time.")
        if context.unit == "asr.0000" and TALKATIVE in recording:
            for number in range(TALK_SEGMENTS):
                yield asr.TranscribeResponse(
                    segment=common.Segment(segment_id=f"talk-{number}", text="x" * TALK_CHARS)
                )
                await asyncio.sleep(TALK_PAUSE_SECONDS)
        await asyncio.sleep(random.uniform(*UNIT_SECONDS))
        async for response in super().run(request, context):
            yield response

    async def _recording(self, job_id: str) -> bytes:
        beginning = f"{folders.of_job(job_id)}/recording-"
        try:
            async for found in self._blobs.stored(folders.of_job(job_id)):
                if found.key.startswith(beginning):
                    digest = found.key.removeprefix(beginning)
                    return await self._blobs.get(common.Blob(key=found.key, sha256=digest))
        except StageError:  # the store is away: the stage itself will find out
            pass
        return b""


def blobs_of(message: Message) -> Iterator[common.Blob]:
    """The objects that a request names."""
    if isinstance(message, common.Blob):
        yield message
        return
    for _, value in message.ListFields():
        for each in value if isinstance(value, Sequence) else (value,):
            if isinstance(each, Message):
                yield from blobs_of(each)


def main() -> None:
    """Serves until SIGTERM."""
    slug = sys.argv[1]

    class ChaosSettings(ServiceSettings):
        """The settings of the stage that this one stands for."""

        model_config = SettingsConfigDict(env_prefix=f"MAIE_{slug.upper()}_")

    stage = ChaosStage(answer=empty_stages()[slug].answer, chunks=CHUNKS)
    run_service(slug, ChaosSettings(), stage.opened)


if __name__ == "__main__":
    main()
