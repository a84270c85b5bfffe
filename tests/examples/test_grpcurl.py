"""Every command of examples/grpcurl.md, as it stands there."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from maie_pipeline.bindings import BINDINGS
from tests.client.live.fake_live import Truth, live_gateway
from tests.examples.programs import ROOT, run_program
from tests.gateway.conftest import EmptyMesh

pytestmark = pytest.mark.mesh

PAGE = (ROOT / "examples" / "grpcurl.md").read_text()
SAMPLE = ROOT / "samples" / "standup.flac"
BLOCKS = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def grpcurl(monkeypatch: pytest.MonkeyPatch) -> None:
    """grpcurl on the PATH, from the environment of the tests where it is installed there.

    Its package has no binary for other machines than those with Linux on x86-64.
    """
    found_first = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    monkeypatch.setenv("PATH", found_first)
    on_this_machine = sys.platform == "linux" and platform.machine() == "x86_64"
    if shutil.which("grpcurl") is None and not on_this_machine:
        pytest.skip("grpcurl is not installed, and its package has none for this machine")


@pytest.mark.usefixtures("grpcurl")
async def test_grpcurl_carries_out_every_command_of_the_page(empty_mesh: EmptyMesh) -> None:
    async with empty_mesh.running() as client:
        explore, submit, later, *_ = _blocks(client.address)
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
        created, jobs, shown, *watched, cancelled = _documents(
            await _shell(upload + later.replace("JOB_ID", job["jobId"]), client.address)
        )
        assert created["job"]["jobId"] in {listed["jobId"] for listed in jobs["jobs"]}
        assert shown["job"] == job
        assert watched[-1]["event"]["finished"]["job"] == job
        assert cancelled["job"]["state"] == "JOB_STATE_COMPLETE"


@pytest.mark.skipif(shutil.which("node") is None, reason="buf needs Node.js")
async def test_buf_curl_shows_a_job_as_the_page_says(empty_mesh: EmptyMesh) -> None:
    async with empty_mesh.running() as client:
        job = await client.create_job(SAMPLE, features=["clean_transcript"])
        *_, without = _blocks(client.address)
        shown = await _shell(without.replace("JOB_ID", job.job_id), client.address)
    assert json.loads(shown)["job"]["jobId"] == job.job_id


@pytest.mark.usefixtures("grpcurl")
async def test_grpcurl_sends_speech_and_reads_its_utterances(tmp_path: Path) -> None:
    samples = tmp_path / "talk.raw"
    samples.write_bytes(bytes(10_000))
    truth = Truth(reads=lambda content: str(len(content)))
    async with live_gateway(truth) as address:
        *_, live, _ = _blocks(address)
        events = _documents(await _shell(live.replace("SAMPLES", str(samples)), address))
    finals = [event["final"]["segment"]["text"] for event in events if "final" in event]
    assert finals == ["3198 3198 3198", "406"]
    assert "ended" in events[-1]


@pytest.mark.usefixtures("grpcurl")
async def test_every_server_describes_both_versions_of_reflection(empty_mesh: EmptyMesh) -> None:
    async with AsyncExitStack() as stack:
        for server in (empty_mesh.gateway(), *map(empty_mesh.service, BINDINGS)):
            address = await stack.enter_async_context(server)
            for version in ("v1", "v1alpha"):
                service = f"grpc.reflection.{version}.ServerReflection"
                described = await _shell(
                    f"grpcurl -plaintext {address} describe {service}", address
                )
                assert f"( stream .grpc.reflection.{version}.ServerReflectionRequest )" in described


@pytest.mark.skipif(shutil.which("node") is None, reason="buf needs Node.js")
@pytest.mark.parametrize("version", ["grpc-v1", "grpc-v1alpha"])
async def test_a_client_of_either_version_of_reflection_finds_the_services(
    empty_mesh: EmptyMesh, version: str
) -> None:
    async with empty_mesh.gateway() as gateway:
        listed = await _shell(
            "node_modules/.bin/buf curl --protocol grpc --http2-prior-knowledge --list-services"
            f" --reflect-protocol {version} http://{gateway}",
            gateway,
        )
    assert "maie.job.v1.JobService" in listed.split()


def _blocks(gateway: str) -> list[str]:
    """The commands of the page, for a gateway at another address than the page's."""
    return [block.replace("localhost:50051", gateway) for block in BLOCKS]


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
