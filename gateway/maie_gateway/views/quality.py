"""How the quality of a recording's sound is shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie.quality.v1 import quality_pb2 as quality
from maie_core.reasons import WarningReason
from maie_core.result_warnings import result_warning
from maie_gateway.views.view import View
from maie_pipeline.states import FINAL_STATES, GIVEN_UP_STATES


def _show(shown: job.Job, _: record.JobRecord, made: Sequence[quality.QualityReport]) -> None:
    for report in made:
        shown.results.quality_report.CopyFrom(report)


def _warnings(made: Sequence[quality.QualityReport]) -> list[common.Warning]:
    return [warning for report in made for warning in report.warnings]


def _engines(report: quality.QualityReport) -> Iterable[job.StageVersion]:
    if report.HasField("engine"):
        yield job.StageVersion(stage=common.STAGE_QUALITY, engine=report.engine)


def missing_quality(of: record.JobRecord) -> list[common.Warning]:
    """The warning that a job that is over has no report, which it did not ask for; else none."""
    given_up = [
        unit
        for unit in of.units
        if unit.stage == common.STAGE_QUALITY
        and unit.is_optional
        and unit.state in GIVEN_UP_STATES
        and of.state in FINAL_STATES
    ]
    if not given_up:
        return []
    why = next((each.failure.message for each in given_up if each.HasField("failure")), "")
    message = f"The sound was not measured. {why}".rstrip()
    return [result_warning(WarningReason.QUALITY_MISSING, message)]


QUALITY = View(show=_show, warnings=_warnings, engines=_engines)
