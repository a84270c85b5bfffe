"""Questions to the summary stage, as its callers ask them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from google.protobuf.duration_pb2 import Duration

from maie.common.v1 import types_pb2 as common
from maie.summary.v1 import summary_pb2 as summary
from maie_runtime.worker.stage import StageContext
from maie_summary.stage import SummarizeStage

TALK = (Path(__file__).parent / "talks" / "standup.txt").read_text().splitlines()


def transcript(lines: Sequence[str], chunk: int = 0) -> common.Transcript:
    return common.Transcript(
        language_code="en",
        segments=[
            common.Segment(
                segment_id=f"c{chunk:04d}-s{at:04d}",
                text=line.lower(),
                clean_text=line,
                start_offset=Duration(seconds=300 * chunk + 4 * at, nanos=250_000_000),
                end_offset=Duration(seconds=300 * chunk + 4 * at + 3),
            )
            for at, line in enumerate(lines)
        ],
    )


async def ask(
    stage: SummarizeStage, context: StageContext, request: summary.SummarizeRequest
) -> summary.SummarizeResult:
    responses = [response async for response in stage.run(request, context)]
    fractions = [each.progress.fraction for each in responses[:-1]]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    return responses[-1].result


def request(**keywords: Any) -> summary.SummarizeRequest:
    return summary.SummarizeRequest(template_id="meeting_notes_v1", **keywords)
