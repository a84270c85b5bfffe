"""How a summary as speech is shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie.speech.v1 import speech_pb2 as speech
from maie_gateway.views.view import View


def _show(shown: job.Job, _: record.JobRecord, made: Sequence[speech.SpokenSummary]) -> None:
    for spoken in made:
        if spoken.HasField("audio"):
            shown.results.digest.CopyFrom(spoken.digest)


def _warnings(made: Sequence[speech.SpokenSummary]) -> list[common.Warning]:
    return [warning for spoken in made for warning in spoken.digest.warnings]


def _engines(spoken: speech.SpokenSummary) -> Iterable[job.StageVersion]:
    if spoken.HasField("audio"):
        engine = spoken.digest.result.engine
        yield job.StageVersion(stage=common.STAGE_SYNTHESIS, engine=engine)


DIGEST = View(show=_show, warnings=_warnings, engines=_engines)
