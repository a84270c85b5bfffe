"""A real summary service around vLLM, over gRPC."""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

import grpc
import pytest
from google.protobuf import json_format
from grpc_health.v1 import health_pb2, health_pb2_grpc
from jsonschema import Draft202012Validator

from maie.common.v1 import types_pb2 as common
from maie.summary.v1 import summary_pb2 as summary
from maie.summary.v1 import summary_pb2_grpc
from maie_templates import TemplateLibrary
from tests.conftest import NatsServer, free_port
from tests.models.meetings import random_meeting
from tests.vllm.tiny import MODEL, OUTSIDE, SETTINGS

pytestmark = [pytest.mark.mesh, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
SERVING = health_pb2.HealthCheckResponse.SERVING


async def test_meeting_notes_come_over_grpc_with_citations_that_exist(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    address = f"127.0.0.1:{free_port()}"
    options = {f"MAIE_SUMMARY_VLLM_{name.upper()}": str(SETTINGS[name]) for name in SETTINGS}
    log = tmp_path / "service.log"
    with log.open("ab") as file:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "maie_summary"),
            cwd=ROOT,
            env={
                **OUTSIDE,
                "MAIE_NATS_URL": nats_server.url,
                "MAIE_BLOB_URL": (tmp_path / "blobs").as_uri(),
                "MAIE_SUMMARY_LISTEN": address,
                "MAIE_SUMMARY_ENGINE": "vllm",
                "MAIE_SUMMARY_GENERATION_TEMPERATURE": "0",
                "MAIE_SUMMARY_VLLM_MODEL_PATH": str(MODEL),
                **options,
            },
            stdout=file,
            stderr=file,
        )
    try:
        async with grpc.aio.insecure_channel(address) as channel:
            await _serving(channel)
            await _check_notes(channel)
    finally:
        if process.returncode is None:
            process.terminate()
        assert await process.wait() == 0


async def _serving(channel: grpc.aio.Channel) -> None:
    health = health_pb2_grpc.HealthStub(channel)
    async with asyncio.timeout(180):
        while True:
            check = health_pb2.HealthCheckRequest()
            if (await health.Check(check, wait_for_ready=True)).status == SERVING:
                return
            await asyncio.sleep(0.5)


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
