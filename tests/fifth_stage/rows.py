"""The rows that the stage adds to the tables: of stages, of the recording's nodes and of views."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from google.protobuf.message import Message

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_gateway.views import View
from maie_pipeline.bindings import StageBinding
from maie_pipeline.nodes import Node, Scope
from tests.fifth_stage.messages import quality

STAGE: Any = 100

BINDING = StageBinding(
    slug="telephony",
    stage=STAGE,
    service="tests.quality.v1.QualityService",
    method="Report",
    request=quality.ReportRequest,
    response=quality.ReportResponse,
    distribution="maie-runtime",  # the tests are none of their own
)


def _request(_: record.JobRecord, __: record.Unit, needs: Sequence[record.Unit]) -> Message:
    plan, *transcripts = (need.output for need in needs)
    made: Message = quality.ReportRequest(plan=plan, transcripts=transcripts)
    return made


NODE = Node(
    name="telephony",
    stage=STAGE,
    scope=Scope.JOIN,
    state=job.JOB_STATE_PROCESSING_LLM,
    needs=(("preprocess",), ("enhancement", "asr")),
    features=frozenset({job.FEATURE_RAW_TRANSCRIPT}),
    request=_request,
    output=quality.QualityReport,
)


def _show(shown: job.Job, _: record.JobRecord, reports: Sequence[Any]) -> None:
    for report in reports:
        shown.metrics.quality.CopyFrom(report.quality)


def _warnings(reports: Sequence[Any]) -> list[common.Warning]:
    return [
        common.Warning(reason="QUALITY", message="The recording is that of a telephone.")
        for report in reports
        if report.quality.narrow_band
    ]


def _engines(report: Any) -> Iterable[job.StageVersion]:
    yield job.StageVersion(stage=STAGE, engine=report.engine)


VIEW = View(show=_show, warnings=_warnings, engines=_engines)
