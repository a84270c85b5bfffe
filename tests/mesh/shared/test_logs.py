"""No log of a mesh holds what is said, named or secret, and each line of a job has its ids."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from maie.job.v1 import job_pb2 as job
from maie_client import Client, ClientError
from tests.mesh.conftest import RunningMesh, sample_audio, write_wav
from tests.mesh.shared.test_job_actions import Run
from tests.mesh.stages import DIGEST, JOB_STAGES

pytestmark = pytest.mark.mesh

MARK = "marked7q3"
"""A word of which each thing that no log may hold has a variant."""
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
STAGES = set(JOB_STAGES)


def lines(mesh: RunningMesh) -> Iterator[tuple[str, str]]:
    """All lines of all logs, with the part that wrote each."""
    for path in sorted(mesh.layout.logs.iterdir()):
        for line in path.read_text(errors="replace").splitlines():
            yield path.name.partition(".")[0], line
    whole = mesh.layout.root.with_name(f"{mesh.layout.root.name}.log")
    for line in whole.read_text(errors="replace").splitlines():
        yield "up", line


@pytest.fixture(scope="module")
def jobs(
    shared_mesh: RunningMesh, maie: Run, tmp_path_factory: pytest.TempPathFactory
) -> list[job.Job]:
    """A job that is well, one that fails and a live session; all names and secrets are marked."""
    folder = tmp_path_factory.mktemp("logs")
    spoken, broken = folder / f"{MARK}-name.wav", folder / f"{MARK}-broken.wav"
    write_wav(spoken, sample_audio(9.0))
    broken.write_bytes(b"RIFF\x24\0\0\0WAVEfmt " + f"{MARK}-audio".encode() * 100)
    hook = job.Webhook(
        url=f"https://203.0.113.7/{MARK}-path?key={MARK}-query", secret=f"{MARK}-secret"
    )
    found = asyncio.run(processed(shared_mesh.gateway, [spoken, broken], hook))
    live = maie("live", spoken, "--json", "--label", f"{MARK}-live={MARK}-live")
    assert live.returncode == 0, live.stderr
    session = UUID.search(live.stdout)
    assert session is not None
    shown = maie("jobs", "show", session.group(), "--json")
    assert shown.returncode == 0, shown.stderr
    return [*found, job.Job(job_id=session.group())]


async def processed(gateway: str, sources: list[Path], hook: job.Webhook) -> list[job.Job]:
    """Jobs of these recordings, at their end."""
    found = []
    async with Client(gateway) as client:
        with pytest.raises(ClientError, match="not public"):
            await client.create_job(sources[0], features=["raw_transcript"], webhooks=[hook])
        for source in sources:
            accepted = await client.create_job(
                source,
                features=["clean_transcript", "speakers", "quality", "reading", "summary", *DIGEST],
                reading_text=f"Good morning everyone, {MARK}-text",
                template_id="meeting_notes_v1",
                display_name=f"{MARK}-shown",
                labels={f"{MARK}-key": f"{MARK}-value"},
                request_id=f"{MARK}-request-{source.name}",
            )
            events = [each async for each in client.watch_job(accepted.job_id)]
            found.append(events[-1].finished.job)
    return found


def test_no_log_holds_what_was_said_or_named(shared_mesh: RunningMesh, jobs: list[job.Job]) -> None:
    well, failed, session = jobs
    assert well.state == job.JOB_STATE_COMPLETE
    assert failed.state == job.JOB_STATE_FAILED
    assert session.job_id
    # Three words in a row are no accident.
    words = re.findall(r"[a-z']+", well.results.clean_transcript.lower())
    phrases = [" ".join(words[place : place + 3]) for place in range(len(words) - 2)]
    assert phrases
    for part, line in lines(shared_mesh):
        assert MARK not in line, (part, line)
        assert not any(phrase in line.lower() for phrase in phrases), (part, line)


def test_each_line_of_a_job_has_its_ids(shared_mesh: RunningMesh, jobs: list[job.Job]) -> None:
    well, failed, session = jobs
    traces: dict[str, set[str]] = {each.job_id: set() for each in jobs}
    parts: dict[str, set[str]] = {each.job_id: set() for each in jobs}
    for part, line in lines(shared_mesh):
        if not line.startswith("{"):
            continue
        entry: dict[str, Any] = json.loads(line)
        if entry.get("job") not in traces:
            continue
        assert entry["tenant"] == "default", line
        assert re.fullmatch(r"[0-9a-f]{32}", entry["trace_id"]), line
        traces[entry["job"]].add(entry["trace_id"])
        parts[entry["job"]].add(part)
        if part in STAGES and entry["job"] != session.job_id:
            assert entry["unit"], line
            assert entry["attempt"] >= 1, line
    # All parts say the same, whether anything records the trace or not.
    assert [len(found) for found in traces.values()] == [1, 1, 1]
    assert parts[well.job_id] >= STAGES | {"gateway"}
    assert parts[failed.job_id] >= {"preprocess", "gateway"}
    assert "gateway" in parts[session.job_id]
