"""faster-whisper in the mesh, with a tiny model of our own."""

from __future__ import annotations

import pytest

from maie.job.v1 import job_pb2 as job
from maie_cli.mesh.local import LocalMesh
from maie_cli.mesh.options import MeshOptions
from maie_client import Client
from tests.asr.recordings import BUG_AND_BUDGET, TINY_WHISPER

pytestmark = pytest.mark.mesh

SPOKEN = "I will fix the bug by Friday. The budget was approved last week."


@pytest.mark.slow
async def test_whisper_serves_a_job_and_enhancement_is_skipped(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    options = MeshOptions(
        data=tmp_path_factory.mktemp("whisper"),
        port_base=0,
        environment={
            "MAIE_ASR_ENGINE": "whisper",
            "MAIE_ASR_WHISPER_MODEL_PATH": str(TINY_WHISPER),
            "MAIE_ASR_WHISPER_CONDITION_ON_PREVIOUS_TEXT": "false",
        },
    )
    async with LocalMesh(options) as mesh, Client(mesh.gateway) as client:
        features = ("raw_transcript", "clean_transcript", "enhancement_metrics")
        done = [e async for e in client.process(BUG_AND_BUDGET, features=features)][-1].finished.job
    assert done.state == job.JOB_STATE_COMPLETE
    assert done.results.raw_transcript.split() == SPOKEN.split()
    assert done.results.clean_transcript == SPOKEN
    assert done.results.enhancement_metrics.skipped
    assert done.metrics.HasField("asr_confidence")
    engine = next(s.engine for s in done.versions.stages if s.engine.engine == "whisper")
    assert len(engine.checkpoint_sha256) == 64
    assert engine.compute_type
