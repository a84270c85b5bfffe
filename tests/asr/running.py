"""Runs the stage as a mount would."""

from __future__ import annotations

from contextlib import aclosing

from maie.asr.v1 import asr_pb2 as asr
from maie.common.v1 import types_pb2 as common
from maie_asr.stage import TranscribeStage
from maie_runtime.blobs import Blobs
from maie_runtime.worker.stage import StageContext


def context(blobs: Blobs) -> StageContext:
    """For whom the stage works in tests."""
    return StageContext(job_id="test", unit="asr.0000", attempt=1, blobs=blobs, folder="jobs/test")


async def responses(
    stage: TranscribeStage, request: asr.TranscribeRequest, blobs: Blobs
) -> list[asr.TranscribeResponse]:
    """All that the stage answers."""
    async with aclosing(stage.run(request, context(blobs))) as run:
        return [response async for response in run]


async def transcribe(
    stage: TranscribeStage, request: asr.TranscribeRequest, blobs: Blobs
) -> common.Transcript:
    """What the stage answers at last."""
    return (await responses(stage, request, blobs))[-1].result


def text_of(transcript: common.Transcript) -> str:
    """The whole text of a transcript."""
    return " ".join(segment.text for segment in transcript.segments)
