"""How a summary is shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie.summary.v1 import summary_pb2 as summary
from maie_gateway.views.view import View
from maie_gateway.views.warnings import bounded


def _show(shown: job.Job, _: record.JobRecord, made: Sequence[summary.SummarizeResult]) -> None:
    for result in made:
        shown.results.summary.CopyFrom(result.summary)


def _warnings(made: Sequence[summary.SummarizeResult]) -> list[common.Warning]:
    return bounded([warning for result in made for warning in result.warnings])


def _engines(result: summary.SummarizeResult) -> Iterable[job.StageVersion]:
    for engine in (*result.summary.part_engines, result.summary.engine):
        yield job.StageVersion(stage=common.STAGE_SUMMARY, engine=engine)


SUMMARY = View(show=_show, warnings=_warnings, engines=_engines, has_text=True)
