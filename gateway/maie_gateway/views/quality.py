"""How the quality of a recording's sound is shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie.quality.v1 import quality_pb2 as quality
from maie_gateway.views.view import View


def _show(shown: job.Job, _: record.JobRecord, made: Sequence[quality.QualityReport]) -> None:
    for report in made:
        shown.results.quality_report.CopyFrom(report)


def _warnings(made: Sequence[quality.QualityReport]) -> list[common.Warning]:
    return [warning for report in made for warning in report.warnings]


def _engines(report: quality.QualityReport) -> Iterable[job.StageVersion]:
    if report.HasField("engine"):
        yield job.StageVersion(stage=common.STAGE_QUALITY, engine=report.engine)


QUALITY = View(show=_show, warnings=_warnings, engines=_engines)
