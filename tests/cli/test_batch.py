"""What a batch says of its jobs when the command ends before them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from maie.job.v1 import job_pb2 as job
from maie_cli.batch import Batch
from maie_cli.recordings import Recording
from maie_client import Client
from tests.client.fake_gateway import JOB_ID, FakeJobs, script, serving

pytestmark = pytest.mark.unit


class Seen:
    """A view that says when a job was accepted."""

    shows_warnings = False

    def __init__(self) -> None:
        self.accepted = asyncio.Event()

    def show(self, _: str, event: job.JobEvent) -> None:
        if event.HasField("accepted"):
            self.accepted.set()


@pytest.mark.parametrize("outlived", [True, False])
async def test_jobs_of_a_mesh_that_goes_on_can_be_followed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], outlived: bool
) -> None:
    recording = tmp_path / "talk.wav"
    recording.write_bytes(b"RIFF")
    async with serving(FakeJobs(script()[:3])) as address, Client(address) as client:
        seen = Seen()
        batch = Batch(client, {"features": ["quality"]}, seen, 1, outlived=outlived)
        running = asyncio.create_task(batch.run([Recording(path=recording)]))
        await seen.accepted.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert (f"maie jobs watch {JOB_ID}" in capsys.readouterr().err) == outlived
