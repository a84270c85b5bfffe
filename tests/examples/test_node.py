"""A client in another language: Node with @grpc/grpc-js, from the protos alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from maie_client import Client
from tests.empty_stages import empty_stages
from tests.examples.programs import ROOT, Ended, run_program
from tests.gateway.conftest import EmptyMesh

pytestmark = pytest.mark.mesh

EXAMPLES = ROOT / "examples" / "node"
SAMPLE = ROOT / "samples" / "standup.flac"


@pytest.fixture
def node() -> str:
    """Node.js. Its absence alone skips; packages that are missing fail the test."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("Node.js is not installed")
    return found


async def test_node_submits_a_recording_and_hears_of_it_until_its_result(
    node: str, empty_mesh: EmptyMesh
) -> None:
    empty_mesh.stages = empty_stages(chunks=2)
    async with empty_mesh.running() as client:
        ended = await _submit(node, client, SAMPLE, "--template", "meeting_notes_v1")
    assert ended.status == 0, ended.errors
    job = json.loads(ended.output)
    assert job["state"] == "JOB_STATE_COMPLETE"
    assert job["results"]["clean_transcript"] == "Chunk 0. Chunk 1."
    assert job["results"]["summary"]["content"] == {"parts": 2}
    told = ended.errors.splitlines()
    assert told[0] == f"accepted as {job['job_id']}"
    assert "STAGE_SUMMARY 100 %" in told
    assert "c0001-s0000 Chunk 1." in told


async def test_node_sends_every_byte_of_a_recording_of_many_messages(
    node: str, empty_mesh: EmptyMesh, tmp_path: Path
) -> None:
    recording = tmp_path / "long.flac"
    recording.write_bytes(SAMPLE.read_bytes() * 8)
    async with empty_mesh.running() as client:
        # The gateway accepts nothing whose size and SHA-256 are not those of what arrived.
        ended = await _submit(node, client, recording)
    assert ended.status == 0, ended.errors


async def test_node_reads_a_job(node: str, empty_mesh: EmptyMesh) -> None:
    async with empty_mesh.running() as client:
        submitted = json.loads((await _submit(node, client, SAMPLE)).output)
        ended = await run_program(
            node, EXAMPLES / "job.js", submitted["job_id"], gateway=client.address
        )
    assert json.loads(ended.output) == submitted


async def test_node_prints_the_gateways_own_sentence_when_it_refuses(
    node: str, empty_mesh: EmptyMesh
) -> None:
    absent = "01890000-0000-7000-8000-000000000000"
    async with empty_mesh.running() as client:
        unknown_template = await _submit(node, client, SAMPLE, "--template", "no_such_template")
        no_such_file = await _submit(node, client, Path("no-such-file.flac"))
        no_such_job = await run_program(node, EXAMPLES / "job.js", absent, gateway=client.address)
    for ended in (unknown_template, no_such_file, no_such_job):
        assert ended.status == 1
        assert len(ended.errors.splitlines()) == 1
    assert "no_such_template" in unknown_template.errors
    assert "no-such-file.flac" in no_such_file.errors
    assert absent in no_such_job.errors


async def _submit(node: str, client: Client, file: Path, *options: str) -> Ended:
    return await run_program(node, EXAMPLES / "submit.js", file, *options, gateway=client.address)
