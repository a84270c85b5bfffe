"""How the reading of a text is shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from maie.alignment.v1 import alignment_pb2 as alignment
from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_gateway.views.view import View


def _show(shown: job.Job, _: record.JobRecord, made: Sequence[alignment.Reading]) -> None:
    for reading in made:
        shown.results.reading.CopyFrom(reading)


def _warnings(made: Sequence[alignment.Reading]) -> list[common.Warning]:
    return [warning for reading in made for warning in reading.warnings]


def _engines(reading: alignment.Reading) -> Iterable[job.StageVersion]:
    yield job.StageVersion(stage=common.STAGE_ALIGNMENT, engine=reading.engine)


READING = View(show=_show, warnings=_warnings, engines=_engines)
