"""What the mesh's own speech recognition hears of a recording, by its stages."""

from __future__ import annotations

from bench.readings import Audio, Reading
from bench.words import Stages
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_alignment.reading.compare import HeardWord
from maie_core.durations import seconds


async def heard_words(stages: Stages, audio: Audio) -> list[HeardWord]:
    """The words of a recording with their times, as a job has them."""
    plan = await stages.plan(Reading(audio=audio, words=()), preprocess.PreprocessRequest())
    return [
        HeardWord(
            text=word.word.strip(),
            start=seconds(word.start_offset),
            end=seconds(word.end_offset),
        )
        for segment in await stages.segments(plan)
        for word in segment.words
    ]
