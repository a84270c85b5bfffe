"""Waveforms of empty stages, as a test wants them."""

from __future__ import annotations

from typing import Any

from maie.common.v1 import types_pb2 as common
from maie_runtime.worker.stage import StageContext
from tests.empty_stages import EmptyStage


def draw(preprocess: EmptyStage, peaks: bytes) -> common.Waveform:
    """Has a preprocess stage store a waveform of every recording; gives it."""
    waveform = common.Waveform(peaks=peaks)
    waveform.interval.FromMilliseconds(100)
    hook, answer = preprocess.hook, preprocess.answer
    stored = common.Blob()

    async def store(context: StageContext) -> None:
        await hook(context)
        stored.CopyFrom(await context.blobs.put_message(f"{context.folder}/waveform", waveform))

    def name(request: Any, context: StageContext, chunks: int) -> list[Any]:
        responses = list(answer(request, context, chunks))
        responses[-1].result.waveform.CopyFrom(stored)
        return responses

    preprocess.hook, preprocess.answer = store, name
    return waveform
