"""Every command of examples/grpcurl.md, as it stands there."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from tests.examples.programs import ROOT, run_program
from tests.gateway.conftest import EmptyMesh

pytestmark = pytest.mark.mesh

PAGE = (ROOT / "examples" / "grpcurl.md").read_text()
BLOCKS = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
STAND_IN = Path(__file__).parent / "bin"


@pytest.fixture
def grpcurl(monkeypatch: pytest.MonkeyPatch) -> None:
    """grpcurl itself where it is installed, or else its stand-in.

    Node's absence alone skips; packages that are missing fail the test.
    """
    if shutil.which("grpcurl") is None and shutil.which("node") is None:
        pytest.skip("neither grpcurl nor Node.js, whose buf stands in for it, is installed")
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}:{STAND_IN}")


@pytest.mark.usefixtures("grpcurl")
async def test_the_commands_of_the_page_work_through_reflection(empty_mesh: EmptyMesh) -> None:
    async with empty_mesh.running() as client:
        explore, submit, later, without = [
            block.replace("localhost:50051", client.address) for block in BLOCKS
        ]
        explored = await _shell(explore, client.address)
        assert "maie.job.v1.JobService" in explored
        assert "ProcessAudio" in explored
        assert '"status": "SERVING"' in explored
        assert '"meeting_notes_v1"' in explored

        *_, last = _documents(await _shell(submit, client.address))
        job = last["event"]["finished"]["job"]
        assert job["state"] == "JOB_STATE_COMPLETE"
        assert job["results"]["cleanTranscript"] == "Chunk 0."

        upload = submit.rpartition("upload samples")[0]
        commands = (upload + later + without).replace("JOB_ID", job["jobId"])
        created, jobs, shown, *watched, cancelled, shown_again = _documents(
            await _shell(commands, client.address)
        )
        assert created["job"]["jobId"] in {listed["jobId"] for listed in jobs["jobs"]}
        assert shown["job"] == shown_again["job"] == job
        assert watched[-1]["event"]["finished"]["job"] == job
        assert cancelled["job"]["state"] == "JOB_STATE_COMPLETE"


async def _shell(commands: str, gateway: str) -> str:
    ended = await run_program("bash", "-euo", "pipefail", "-c", commands, gateway=gateway)
    assert ended.status == 0, ended.errors
    return ended.output


def _documents(text: str) -> list[dict[str, dict]]:
    """The JSON documents of a text, one after another."""
    decoder, documents, at = json.JSONDecoder(), [], 0
    while at < len(text):
        document, end = decoder.raw_decode(text, at)
        documents.append(document)
        at = len(text) - len(text[end:].lstrip())
    return documents
