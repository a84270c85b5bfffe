"""How the plan of a recording is shown: what was measured of its sound."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_gateway.views.view import View
from maie_gateway.views.warnings import bounded


def _show(
    shown: job.Job, _: record.JobRecord, plans: Sequence[preprocess.PreprocessResult]
) -> None:
    for plan in plans:
        shown.metrics.input_duration.CopyFrom(plan.duration)
        shown.metrics.quality.CopyFrom(plan.quality)
        shown.metrics.source.CopyFrom(plan.source)


def _warnings(plans: Sequence[preprocess.PreprocessResult]) -> list[common.Warning]:
    return bounded([warning for plan in plans for warning in plan.warnings])


def _engines(plan: preprocess.PreprocessResult) -> Iterable[job.StageVersion]:
    yield job.StageVersion(stage=common.STAGE_PREPROCESS, engine=plan.vad_engine)


PLAN = View(show=_show, warnings=_warnings, engines=_engines)
