"""A stage that reports how good a recording is to read."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from maie.common.v1 import types_pb2 as common
from maie.event.v1 import event_pb2 as event
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_runtime.blobs import Blobs
from maie_runtime.worker.stage import StageContext
from tests.fifth_stage.messages import quality

ENGINE = common.EngineVersion(engine="measurements")


class QualityStage:
    """Copies what preprocess measured, and adds up the speech that could not be read."""

    weights = None

    async def run(self, request: Any, context: StageContext) -> AsyncGenerator[Any, None]:
        """Reports on one recording."""
        plan = await context.blobs.get_message(request.plan, preprocess.PreprocessResult)
        unread = timedelta()
        for number, blob in enumerate(request.transcripts, start=1):
            transcript = await context.blobs.get_message(blob, common.Transcript)
            for span in transcript.unread:
                unread += span.end_offset.ToTimedelta() - span.start_offset.ToTimedelta()
            fraction = number / len(request.transcripts)
            yield quality.ReportResponse(progress=quality.ReportProgress(fraction=fraction))
        report = quality.QualityReport(quality=plan.quality, engine=ENGINE)
        report.unread_duration.FromTimedelta(unread)
        yield quality.ReportResponse(result=report)

    def facts(self, _: Any) -> event.UnitFacts:
        """Nothing: no unit depends on it."""
        return event.UnitFacts()

    def models(self) -> Sequence[event.ModelInfo]:
        """What it works with."""
        return [event.ModelInfo(engine=ENGINE, description="What preprocess measured.")]

    @asynccontextmanager
    async def opened(self, _: Blobs) -> AsyncIterator[QualityStage]:
        """The stage as `serve_stage` opens it."""
        yield self
