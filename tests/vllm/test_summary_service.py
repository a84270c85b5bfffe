"""A real summary service around vLLM, over gRPC."""

from __future__ import annotations

import random
from pathlib import Path

import grpc
import pytest
from google.protobuf import json_format
from jsonschema import Draft202012Validator

from maie.common.v1 import types_pb2 as common
from maie.summary.v1 import summary_pb2 as summary
from maie.summary.v1 import summary_pb2_grpc
from maie_templates import TemplateLibrary
from tests.conftest import NatsServer
from tests.models.meetings import random_meeting
from tests.vllm.service import vllm_service

pytestmark = pytest.mark.mesh


async def test_meeting_notes_come_over_grpc_with_citations_that_exist(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    async with vllm_service("summary", nats_server, tmp_path) as running:
        await running.serving()
        await _check_notes(running.channel)
        running.process.terminate()
        assert await running.ended() == 0


async def _check_notes(channel: grpc.aio.Channel) -> None:
    meeting = random_meeting(random.Random(3), 6)
    transcript = common.Transcript(
        language_code="en",
        segments=[
            common.Segment(segment_id=f"c0000-s{at:04d}", text=text)
            for at, text in enumerate(meeting.texts())
        ],
    )
    request = summary.SummarizeRequest(template_id="meeting_notes_v1", transcript=transcript)
    stub = summary_pb2_grpc.SummaryServiceStub(channel)
    responses = [response async for response in stub.Summarize(request)]
    filled = responses[-1].result.summary
    schema = TemplateLibrary().get("meeting_notes_v1").schema
    Draft202012Validator(schema).validate(json_format.MessageToDict(filled.content))
    known = {segment.segment_id for segment in transcript.segments}
    assert filled.citations
    assert all(set(citation.segment_ids) <= known for citation in filled.citations)
    assert filled.engine.engine == "vllm"
    assert filled.engine.checkpoint_sha256
