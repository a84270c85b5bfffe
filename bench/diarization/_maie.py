"""Runs maie's diarization with an engine: `python -m bench.diarization._maie embedded`.

It is what the mesh does with a recording, in one process: the preprocess stage finds the speech
and cuts chunks, and the diarization stage hears each chunk and then finds who is who in all.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from bench.diarization.serving import Listen, Spoken, serve
from bench.stages import call
from maie.diarization.v1 import diarization_pb2 as diarization
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_core.durations import seconds
from maie_diarization.settings import DiarizationSettings
from maie_diarization.stage import DiarizeStage
from maie_diarization.stage import open_stage as open_diarization
from maie_preprocess.settings import PreprocessSettings
from maie_preprocess.stage import PreprocessStage
from maie_preprocess.stage import open_stage as open_preprocess
from maie_runtime.blobs import Blobs


def _load(engine: str) -> Listen:
    stages = _Stages(engine)

    def listen(path: str, speakers: int | None) -> Sequence[Spoken]:
        return stages.runner.run(_listen(stages.cutting, stages.hearing, Path(path), speakers))

    return listen


class _Stages:
    """Both stages with their own settings, open as long as the process lives."""

    def __init__(self, engine: str) -> None:
        self.runner = asyncio.Runner()
        self._open = AsyncExitStack()
        blobs = Blobs(f"file://{tempfile.gettempdir()}/bench-unused")
        self.cutting = self.runner.run(
            self._open.enter_async_context(open_preprocess(PreprocessSettings()))
        )
        self.hearing = self.runner.run(
            self._open.enter_async_context(
                open_diarization(DiarizationSettings(engine=engine), blobs)
            )
        )


async def _listen(
    cutting: PreprocessStage, hearing: DiarizeStage, path: Path, speakers: int | None
) -> Sequence[Spoken]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        blobs = Blobs(f"file://{folder}")
        recording = await blobs.put("recording", await asyncio.to_thread(path.read_bytes))
        plan = await call(cutting, preprocess.PreprocessRequest(recording=recording), blobs)
        source = diarization.VoicesSource()
        for chunk in plan.chunks:
            request = diarization.DiarizeRequest(speech_chunk=chunk)
            voices = await call(hearing, request, blobs)
            source.parts.append(await blobs.put_message("voices", voices))
        options = diarization.SpeakerOptions(speaker_count=speakers)
        request = diarization.DiarizeRequest(voices=source, options=options)
        made = await call(hearing, request, blobs)
    return [
        (seconds(turn.range.start_offset), seconds(turn.range.end_offset), turn.speaker)
        for turn in made.turns
    ]


if __name__ == "__main__":
    serve(partial(_load, sys.argv[1]))
