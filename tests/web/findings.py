"""Stages that find what a reading and a report of the sound can have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from maie.alignment.v1 import alignment_pb2 as alignment
from maie.common.v1 import types_pb2 as common
from maie.diarization.v1 import diarization_pb2 as diarization
from maie.quality.v1 import quality_pb2 as quality
from maie_core.durations import duration
from maie_runtime.worker.stage import StageContext
from tests.empty_stages import ENGINE, EmptyStage
from tests.formats.readings import reading
from tests.formats.sounds import report

SCORES = (2.0, 3.0, 4.0, 1.0)


def find_something(
    stages: Mapping[str, EmptyStage],
    read: alignment.Reading | None = None,
    sound: quality.QualityReport | None = None,
) -> None:
    """Has stages find a noisy sound with SCORES over time, and a reading."""
    stages["quality"].answer = _reports(sound or report(*SCORES))
    found = alignment.AlignResponse(reading=read or reading())
    stages["alignment"].answer = lambda *_: [found]


def find_a_call(stages: Mapping[str, EmptyStage], lane: Literal["channel", "track"]) -> None:
    """Has stages find two speakers, each alone on a channel or a track, and how these sound.

    The second one speaks first, and for one window only; the first has SCORES over time, with
    other scores for speech and background.
    """
    words = common.Transcript(language_code="en", asr_engine=ENGINE)
    apart = diarization.Diarization(engine=ENGINE)
    for number, text in enumerate(("good morning", "hello there"), start=1):
        speaker, place = f"S{number}", {lane: number}
        span = common.TimeRange(start_offset=duration(4 - 2 * number))
        span.end_offset.CopyFrom(duration(6 - 2 * number))
        apart.speakers.add(speaker=speaker, speech_duration=duration(2), **place)
        words.segments.add(
            segment_id=f"c{number:04d}-s0000",
            text=text,
            speaker=speaker,
            start_offset=span.start_offset,
            end_offset=span.end_offset,
            **place,
        )
    made = report(*SCORES)
    for window in made.windows:
        setattr(window, lane, 1)
        window.opinion.speech = min(5, window.opinion.overall + 0.7)
        window.opinion.background = 1.4
    second = quality.QualityWindow(opinion=quality.Opinion(overall=4.4, speech=4.6, background=4.1))
    second.range.end_offset.CopyFrom(duration(4))
    setattr(second, lane, 2)
    made.windows.insert(0, second)
    stages["quality"].answer = _reports(made)

    def told_apart(request: diarization.DiarizeRequest, *_: object) -> list[Any]:
        match request.WhichOneof("source"):
            case "speech_chunk":
                voices = diarization.Voices(chunk=request.speech_chunk, engine=ENGINE)
                return [diarization.DiarizeResponse(voices=voices)]
            case "voices":
                return [diarization.DiarizeResponse(diarization=apart)]
            case _:
                return [diarization.DiarizeResponse(transcript=words)]

    stages["diarization"].answer = told_apart


def _reports(
    made: quality.QualityReport,
) -> Callable[[quality.AssessRequest, StageContext, int], list[quality.AssessResponse]]:
    def assess(
        request: quality.AssessRequest, _: StageContext, __: int
    ) -> list[quality.AssessResponse]:
        if request.WhichOneof("source") == "speech_chunk":
            return [quality.AssessResponse(measures=quality.Measures(engine=ENGINE))]
        return [quality.AssessResponse(report=made)]

    return assess
