"""Two attempts of preprocess at once: the one that counts keeps its chunks."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from maie.asr.v1 import asr_pb2 as asr
from maie.job.v1 import job_pb2 as job
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_asr.source import load_source
from maie_client import Client
from maie_core.settings import ServiceSettings
from maie_pipeline.bindings import BINDINGS
from maie_preprocess.settings import PreprocessSettings
from maie_preprocess.stage import open_stage
from maie_runtime.worker.server import serve_stage
from maie_runtime.worker.stage import StageContext
from tests.empty_stages import EmptyStage, empty_stages
from tests.gateway.conftest import EmptyMesh

pytestmark = pytest.mark.mesh

SAMPLE = Path(__file__).parents[2] / "samples" / "standup.flac"


async def recording() -> AsyncIterator[bytes]:
    """A recording with speech for several chunks."""
    yield SAMPLE.read_bytes()


@dataclass(kw_only=True)
class ReadsItsChunk(EmptyStage):
    """An ASR stage that reads its chunk after a late attempt of preprocess has stored its own.

    Attributes:
        samples: How many samples the chunks had.
    """

    samples: int = 0

    async def run(
        self, request: asr.TranscribeRequest, context: StageContext
    ) -> AsyncGenerator[asr.TranscribeResponse, None]:
        """Answers one request."""
        await preprocess_again(replace(context, unit="preprocess"))
        with ThreadPoolExecutor(1) as executor:
            source = await load_source(request, context.blobs, executor)
        self.samples += len(source.speech.samples)
        async for response in super().run(request, context):
            yield response


async def preprocess_again(context: StageContext) -> None:
    """Cuts the recording into longer chunks than the attempt that counts."""
    request = preprocess.PreprocessRequest(recording_content=SAMPLE.read_bytes())
    async with (
        open_stage(PreprocessSettings(chunk_seconds=30)) as stage,
        aclosing(stage.run(request, context)) as responses,
    ):
        async for _ in responses:
            pass


@pytest.mark.slow
async def test_a_late_attempt_with_other_settings_does_no_harm(empty_mesh: EmptyMesh) -> None:
    asr_stage = ReadsItsChunk(answer=empty_stages()["asr"].answer)
    empty_mesh.stages["asr"] = asr_stage
    settings = PreprocessSettings(chunk_seconds=10)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(
            serve_stage(
                BINDINGS["preprocess"],
                ServiceSettings(mesh=empty_mesh.mesh),
                lambda _: open_stage(settings),
            )
        )
        await stack.enter_async_context(empty_mesh.service("asr"))
        client = Client(await stack.enter_async_context(empty_mesh.gateway()))
        await stack.enter_async_context(client)
        events = [told async for told in client.process(recording(), features=("raw_transcript",))]
    done = events[-1].finished.job
    assert done.state == job.JOB_STATE_COMPLETE, done.failures
    assert len(asr_stage.runs) > 3
    assert asr_stage.samples > 16_000 * 30
