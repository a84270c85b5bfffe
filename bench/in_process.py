"""The four stages called in one process, one after another: a mesh without its network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    aclosing,
    asynccontextmanager,
)
from pathlib import Path
from typing import Any
from uuid import uuid4

from google.protobuf.duration_pb2 import Duration

from maie.asr.v1 import asr_pb2 as asr
from maie.common.v1 import types_pb2 as common
from maie.enhancement.v1 import enhancement_pb2 as enhancement
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie.summary.v1 import summary_pb2 as summary
from maie_asr import settings as asr_settings
from maie_asr import stage as asr_stage
from maie_enhancement import settings as enhancement_settings
from maie_enhancement import stage as enhancement_stage
from maie_preprocess import settings as preprocess_settings
from maie_preprocess import stage as preprocess_stage
from maie_runtime.blobs import Blobs
from maie_runtime.stage import Stage, StageContext
from maie_summary import settings as summary_settings
from maie_summary import stage as summary_stage

PIECE_BYTES = 1024 * 1024


class Pipeline:
    """Runs recordings through stages that are loaded already.

    Args:
        blobs: The object store: stages take their input from it, here as in a mesh.
        stages: The stages in the order of the work.
    """

    def __init__(self, blobs: Blobs, stages: Sequence[Stage[Any, Any]]) -> None:
        self._blobs = blobs
        self._preprocess, self._asr, self._enhancement, self._summary = stages

    async def store(self, recording: Path) -> common.Blob:
        """Puts a recording into the object store, as a gateway does while it is uploaded."""
        async with self._blobs.writer(f"recordings/{uuid4()}") as writer:
            with recording.open("rb") as file:
                while piece := await asyncio.to_thread(file.read, PIECE_BYTES):
                    await writer.write(piece)
            return writer.blob()

    async def run(
        self, recording: common.Blob, template_id: str, chunk_seconds: float
    ) -> list[common.Segment]:
        """Runs all stages, each over all chunks before the next begins.

        Returns:
            The segments of the recording.
        """
        plan = await self._plan(recording, chunk_seconds)
        transcripts = await self._transcripts(plan)
        parts = []
        for transcript in transcripts:
            request = summary.SummarizeRequest(
                template_id=template_id, map=await self._put(transcript)
            )
            parts.append(await self._put(await self._call(self._summary, request)))
        reduce = summary.SummarizeRequest(
            template_id=template_id, reduce=summary.ReduceSource(parts=parts)
        )
        await self._call(self._summary, reduce)
        return [segment for transcript in transcripts for segment in transcript.segments]

    async def _plan(
        self, recording: common.Blob, chunk_seconds: float
    ) -> preprocess.PreprocessResult:
        length = Duration()
        length.FromMilliseconds(round(1000 * chunk_seconds))
        request = preprocess.PreprocessRequest(recording=recording, chunk_duration=length)
        return await self._call(self._preprocess, request)

    async def _transcripts(self, plan: preprocess.PreprocessResult) -> list[common.Transcript]:
        stored = await self._put(plan)
        chunks = [asr.ChunkReference(plan=stored, index=chunk.index) for chunk in plan.chunks]
        raw = [await self._call(self._asr, asr.TranscribeRequest(chunk=chunk)) for chunk in chunks]
        return [
            transcript
            if transcript.punctuated
            else await self._call(
                self._enhancement,
                enhancement.EnhanceRequest(transcript_blob=await self._put(transcript)),
            )
            for transcript in raw
        ]

    async def _put(self, message: Any) -> common.Blob:
        return await self._blobs.put_message("results", message)

    async def _call(self, stage: Stage[Any, Any], request: Any) -> Any:
        context = StageContext(
            job_id=f"bench-{uuid4()}", unit="direct", attempt=1, blobs=self._blobs
        )
        result = None
        async with aclosing(stage.run(request, context)) as responses:
            async for response in responses:
                if response.WhichOneof("update") == "result":
                    result = response.result
        return result


@asynccontextmanager
async def open_pipeline(data: Path) -> AsyncIterator[Pipeline]:
    """Loads the engines that the environment names, by default the embedded ones.

    Args:
        data: Where the object store is; an absolute path.
    """
    blobs = Blobs(f"file://{data}")
    opening: tuple[AbstractAsyncContextManager[Stage[Any, Any]], ...] = (
        preprocess_stage.open_stage(preprocess_settings.PreprocessSettings()),
        asr_stage.open_stage(asr_settings.AsrSettings(), blobs),
        enhancement_stage.open_stage(enhancement_settings.EnhancementSettings(), blobs),
        summary_stage.open_stage(summary_settings.SummarySettings(), blobs),
    )
    async with AsyncExitStack() as stack:
        stages = [await stack.enter_async_context(opened) for opened in opening]
        yield Pipeline(blobs, stages)
