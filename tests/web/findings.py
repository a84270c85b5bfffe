"""Stages that find what a reading and a report of the sound can have."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from maie.alignment.v1 import alignment_pb2 as alignment
from maie.quality.v1 import quality_pb2 as quality
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
    stages["quality"].answer = partial(_assess, sound or report(*SCORES))
    found = alignment.AlignResponse(reading=read or reading())
    stages["alignment"].answer = lambda *_: [found]


def _assess(
    sound: quality.QualityReport, request: quality.AssessRequest, _: StageContext, __: int
) -> list[quality.AssessResponse]:
    if request.WhichOneof("source") == "speech_chunk":
        return [quality.AssessResponse(measures=quality.Measures(engine=ENGINE))]
    return [quality.AssessResponse(report=sound)]
