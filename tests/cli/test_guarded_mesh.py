"""The broker of `maie up` is for its own parts, each with its own credential."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from maie.event.v1 import event_pb2 as event
from maie.job.v1 import job_pb2 as job
from maie_cli.mesh.broker import credentials, write_broker_config
from maie_cli.mesh.layout import Layout
from maie_cli.mesh.local import LocalMesh
from maie_cli.mesh.options import STAGES, MeshOptions
from maie_cli.mesh.parts import NATS
from maie_client import Client
from maie_core.errors import StageError
from maie_core.reasons import Reason
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import open_broker
from maie_runtime.bus.provision import open_provisioned_broker
from maie_runtime.bus.rights import GATEWAY, MONITOR
from maie_runtime.bus.server_config import ACCOUNTS_FILE
from maie_runtime.bus.server_report import server_report
from tests.conftest import NatsServer, free_port
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.mesh

ROOT = Path(__file__).parents[2]


async def recording() -> AsyncIterator[bytes]:
    yield b"not empty"


async def test_a_mesh_guards_its_broker_and_runs_jobs(tmp_path: Path) -> None:
    options = MeshOptions(
        data=tmp_path / "data",
        port_base=0,
        environment={
            "PYTHONPATH": os.fspath(ROOT),
            "MAIE_ASR_ENGINE": "pocketsphinx",
            # Another broker's, which the mesh has no use for.
            "MAIE_NATS_CA_FILE": "/nowhere/ca.pem",
        },
        commands={stage: (sys.executable, "-m", "tests.chaos.service", stage) for stage in STAGES},
    )
    async with LocalMesh(options, lambda _: None) as mesh:
        broker = mesh.children[NATS]
        url = f"nats://{broker.part.address}"
        with pytest.raises(StageError) as failure:
            async with open_broker(url, "somebody"):
                pytest.fail("somebody without a credential was let in")
        assert failure.value.reason == Reason.BROKER_REFUSED

        assert broker.pid is not None
        listening = [
            each.laddr.port
            for each in psutil.Process(broker.pid).net_connections()
            if each.status == psutil.CONN_LISTEN
        ]
        # One port, for clients: the server's monitoring has no password.
        assert listening == [int(broker.part.address.rpartition(":")[2])]
        monitor = credentials(mesh.layout, MONITOR)
        health = await server_report(url, monitor, "HEALTHZ", PATIENCE_SECONDS)
        assert health["status"] == "ok"

        for name in (*STAGES, GATEWAY):
            pid = mesh.children[name].pid
            assert pid is not None
            environ = psutil.Process(pid).environ()
            assert Path(environ["MAIE_NATS_NKEY_FILE"]) == mesh.layout.nkeys / f"{name}.nk"
            assert "MAIE_NATS_CA_FILE" not in environ
        async with Client(mesh.gateway) as client:
            events = [
                each
                async for each in client.process(
                    recording(),
                    features=("raw_transcript", "summary"),
                    template_id="meeting_notes_v1",
                )
            ]
        assert events[-1].finished.job.state == job.JOB_STATE_COMPLETE
        for path in (mesh.layout.run, *mesh.layout.run.rglob("*")):
            if path.suffix not in (".pid", ".address") and path.name != "lock":
                assert not path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO), path
        assert not mesh.layout.read_model.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    # Whoever asked without a credential is there, and no part was refused anything.
    log = mesh.layout.log_file(NATS).read_text()
    refused = [line for line in log.splitlines() if "iolation" in line or "[ERR]" in line]
    assert len(refused) == 1
    assert "authentication error" in refused[0]


async def test_a_mesh_of_an_earlier_release_keeps_what_its_broker_held(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "data")
    layout.create()
    port = free_port()
    before = NatsServer(port=port, store=layout.nats)
    await before.start()
    async with open_provisioned_broker(before.url, "before") as broker:
        await broker.jobs.put("job-1", b"record")
        place = await broker.publish(
            subjects.event("asr", "job-1"), event.StageEvent(job_id="job-1"), message_id="1"
        )
    await before.stop()
    config = write_broker_config(layout, f"127.0.0.1:{port}", {})
    after = NatsServer(port=port, store=layout.nats, config=layout.run / ACCOUNTS_FILE)
    await after.start()
    try:
        async with open_provisioned_broker(
            after.url,
            "after",
            inbox=subjects.inbox(GATEWAY),
            credentials=credentials(layout, GATEWAY),
        ) as broker:
            # As a gateway reads a record.
            found = await broker.jetstream.get_last_msg("KV_maie_jobs", "$KV.maie_jobs.job-1")
            assert found.data == b"record"
            told = await broker.jetstream.get_msg(subjects.EVENTS, place)
            assert event.StageEvent.FromString(told.data or b"").job_id == "job-1"
    finally:
        await after.stop()
    # Once is enough.
    assert write_broker_config(layout, f"127.0.0.1:{port}", {}) == config
