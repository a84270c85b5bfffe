"""A mesh at work, whose parts log all that they can: nothing that anybody says shows a secret."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import aclosing
from pathlib import Path

import pytest

from maie.access.v1 import access_pb2 as access
from maie.job.v1 import job_pb2 as job
from maie_client import Client, ClientError
from maie_runtime.bus.rights import OPERATOR
from maie_runtime.bus.seeds import seed_file
from tests.collector import collecting
from tests.mesh.conftest import SAMPLE, sample_audio, write_wav
from tests.planted_secrets.planting import NOWHERE, TENANT, new_secret, without_filter
from tests.planted_secrets.searched_mesh import SearchedMesh, searched_mesh
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = [pytest.mark.mesh, pytest.mark.slow]


@pytest.mark.parametrize("filtered", [True, False], ids=["filtered", "unfiltered"])
async def test_a_mesh_at_work_shows_no_secret(filtered: bool, tmp_path: Path) -> None:
    changed = {} if filtered else without_filter(tmp_path)
    async with collecting() as collector, searched_mesh(tmp_path, collector, **changed) as mesh:
        assert "maie_gateway" in mesh.command_lines()
        job_id = await a_job(mesh, tmp_path)
        await refused_calls(mesh)
        await commands(mesh, job_id)
        assert len(await mesh.metrics()) == len(mesh.mesh.pids()) - 1  # all but the broker
        await a_part_dies(mesh)
    assert "maie.job.v1.JobService" in mesh.said.add("spans", collector.words())
    assert {path.parts[0] for path in mesh.files()} >= {"logs", "nats", "blobs"}
    assert not mesh.said.shows(mesh.planted)
    assert "starting it again" in mesh.said.everything()
    # A secret that is said would be found.
    assert mesh.planted.shown_in(str(mesh.variables)) >= mesh.planted.environment.keys() - {
        "MAIE_GATEWAY_BOOTSTRAP_KEY_FILE"
    }


async def a_job(mesh: SearchedMesh, folder: Path) -> str:
    """Has a recording transcribed and summarised, with a webhook; gives the job's id."""
    recording, secrets = folder / "standup.wav", mesh.planted.secrets
    write_wav(recording, sample_audio(4.0))
    hook = job.Webhook(url=f"http://{NOWHERE}/", secret=new_secret())
    secrets["webhook of a job"] = hook.secret
    async with Client(mesh.mesh.gateway, tenant=TENANT) as client:
        features = ["raw_transcript", "summary"]
        made = await client.create_job(
            recording, features=features, template_id="meeting_notes_v1", webhooks=[hook]
        )
        async with asyncio.timeout(PATIENCE_SECONDS):
            async with aclosing(client.watch_job(made.job_id)) as events:
                async for event in events:
                    mesh.said.add("event", str(event))
        done = await client.get_job(made.job_id)
    mesh.said.add("job", str(done))
    assert done.state == job.JOB_STATE_COMPLETE
    return made.job_id


async def refused_calls(mesh: SearchedMesh) -> None:
    """Calls that fail: what their errors say, with all details."""
    secrets = mesh.planted.secrets
    key, hooks = f"maie_0123456789ab_{secrets['MAIE_API_KEY']}", secrets["webhook of a job"]
    wrong = [
        job.Webhook(url=f"https://maie:{hooks}@receiver.example/", secret=hooks),
        job.Webhook(url=f"ftp://receiver.example/{hooks}", secret=hooks),
        job.Webhook(url="https://receiver.example/", secret=hooks * 10),
    ]
    attempts: list[tuple[str, list[job.Webhook]]] = [(key, []), (f"{key}.x.y", [])]
    for token, given in attempts + [("", [hook]) for hook in wrong]:
        async with Client(mesh.mesh.gateway, token=token, tenant=TENANT) as client:
            with pytest.raises(ClientError) as raised:
                await client.create_job(SAMPLE, features=["raw_transcript"], webhooks=given)
        error = raised.value
        said = mesh.said.add("error", f"{error!r} {error} {error.fields} {error.__cause__!r}")
        assert error.reason in {"CREDENTIALS_INVALID", "URI_NOT_ALLOWED", "WEBHOOK_INVALID"}, said


async def commands(mesh: SearchedMesh, job_id: str) -> None:
    """What commands say of the mesh, and where they fail."""
    broker = mesh.mesh.layout.address_file("nats").read_text()
    password = new_secret()
    mesh.planted.secrets["password of NATS"] = password
    nats = {
        "MAIE_NATS_URL": f"nats://maie:{password}@{broker}",
        "MAIE_NATS_NKEY_FILE": str(seed_file(mesh.mesh.layout.nkeys, OPERATOR)),
    }
    await mesh.doctor()
    await mesh.maie("jobs", "show", job_id, "--json", "--tenant", TENANT)
    await mesh.maie("trace", job_id, "--tenant", TENANT)
    await mesh.maie("dead-letters", "list")
    assert job_id in await mesh.maie("audit", "--json")
    await mesh.maie("provision", **nats)
    async with Client(mesh.mesh.gateway) as client:
        mesh.said.add("mesh", str(await client.get_mesh()))
        request = access.ListAuditEntriesRequest()
        mesh.said.add("audit", str([each async for each in client.audit.entries(request)]))


async def a_part_dies(mesh: SearchedMesh) -> None:
    """Kills the ASR worker, and waits for the next one."""
    pid = mesh.mesh.pids()["asr"]
    os.kill(pid, signal.SIGKILL)
    await until(lambda: mesh.mesh.pids().get("asr", pid) != pid)
