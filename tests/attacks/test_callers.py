"""Who has no business here: without a key, with too small a one, as another user."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest

from maie.access.v1 import access_pb2 as access
from maie_client import Client
from maie_core.api_keys import new_key
from maie_core.errors import StageError
from maie_runtime.bus.broker import open_broker
from maie_runtime.rpc.callers.socket_owner import can_say
from tests.attacks.conftest import Besieged, Came, answer, answers
from tests.gateway.access.conftest import USER
from tests.gateway.access.test_tokens import forged
from tests.runtime.callers.test_local_user import NOBODY, called
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.mesh

STAGE_CALLS = {
    "preprocess": "/maie.preprocess.v1.PreprocessService/Preprocess",
    "asr": "/maie.asr.v1.AsrService/Transcribe",
    "diarization": "/maie.diarization.v1.DiarizationService/Diarize",
    "quality": "/maie.quality.v1.QualityService/Assess",
    "alignment": "/maie.alignment.v1.AlignmentService/Align",
    "enhancement": "/maie.enhancement.v1.EnhancementService/Enhance",
    "summary": "/maie.summary.v1.SummaryService/Summarize",
    "synthesis": "/maie.speech.v1.SpeechService/Synthesize",
}


async def lists(mesh: Besieged, token: str) -> str:
    """What a caller with this token is answered."""
    async with Client(mesh.gateway, token=token) as client:
        return await answer(client.list_jobs())


@pytest.mark.attack(1)
async def test_nobody_comes_in_without_a_good_key_or_token(mesh: Besieged, came: Came) -> None:
    assert await lists(mesh, "") == "UNAUTHENTICATED CREDENTIALS_MISSING"
    right, issuer = mesh.issuer.token(), mesh.issuer
    assert await lists(mesh, right) == "OK"
    wrong = [
        "garbage",
        *await ended_keys(mesh),
        mesh.ours[:-1],
        new_key().text,
        f"{right[:-8]}AAAAAAAA",
        issuer.token(aud="other"),
        issuer.token(iss="https://evil.example"),
        issuer.token(exp=int(time.time()) - 3600),
        forged({"alg": "none", "kid": "one"}, issuer),
        forged({"alg": "HS256", "kid": "one"}, issuer, issuer.public_pem()),
    ]
    found = [await lists(mesh, token) for token in wrong]
    came(" ".join(sorted(set(found))))
    assert set(found) == {"UNAUTHENTICATED CREDENTIALS_INVALID"}


async def ended_keys(mesh: Besieged) -> list[str]:
    """Keys that were good: one that has expired, and one that was revoked."""
    async with mesh.client(mesh.bootstrap) as admin:
        revoked = await admin.keys.create(scopes=USER, tenant="ours")
        await admin.keys.revoke(revoked.key.key_id)
    async with asyncio.timeout(PATIENCE_SECONDS):
        for key in (mesh.expiring, revoked.api_key):
            while await lists(mesh, key) == "OK":
                await asyncio.sleep(0.1)
    return [mesh.expiring, revoked.api_key]


@pytest.mark.attack(3)
async def test_a_users_key_administers_nothing(mesh: Besieged, came: Came) -> None:
    async with mesh.client(mesh.ours) as client:
        found = await answers(
            [
                client.keys.list(),
                client.keys.create(scopes=(access.SCOPE_ADMIN,), tenant="ours"),
                client.keys.revoke("0" * 12),
                client.keys.rotate("0" * 12),
                client.get_mesh(),
            ]
        )
    came(" ".join(found))
    assert found == {"PERMISSION_DENIED SCOPE_MISSING"}


READS = """
import os, sys
os.setgroups([]); os.setgid({uid}); os.setuid({uid})
opened = []
for path in sys.argv[1:]:
    try:
        os.listdir(path) if os.path.isdir(path) else open(path).close()
        opened.append(path)
    except OSError:
        pass
print(*opened, sep="\\n", end="")
"""


# What the broker answers who speaks its protocol without a credential.
CONNECTS = """
import encodings.idna, os, socket, sys
os.setgroups([]); os.setgid({uid}); os.setuid({uid})
host, port = sys.argv[1].rsplit(":", 1)
with socket.create_connection((host, int(port)), 60) as broker:
    lines = broker.makefile("rwb", buffering=0)
    lines.readline()
    lines.write(b'CONNECT {{"verbose":false,"protocol":1}}\\r\\nPING\\r\\n')
    print(lines.readline().decode().strip(), end="")
"""


ASKS = """
import encodings.idna, os, socket, sys
os.setgroups([]); os.setgid({uid}); os.setuid({uid})
host, port = sys.argv[1].rsplit(":", 1)
with socket.create_connection((host, int(port)), 60) as web:
    web.sendall(b'GET /v1/jobs HTTP/1.1\\r\\nhost: localhost\\r\\n\\r\\n')
    print(web.recv(100).split()[1].decode(), end="")
"""


async def as_another(script: str, *arguments: str) -> str:
    """What a script prints that runs as another user of the machine."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", "-c", script.format(uid=NOBODY), *arguments),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    return output.decode()


async def opened_by_another(*paths: Path) -> str:
    """Which of these files and folders another user of the machine can open."""
    return await as_another(READS, *map(str, paths))


def listening(mesh: Besieged) -> set[str]:
    """Every HOST:PORT at which a process of the mesh listens, its children included."""
    found = set()
    supervisor = psutil.Process(mesh.running.process.pid)
    for process in (supervisor, *supervisor.children(recursive=True)):
        for each in process.net_connections("inet"):
            if each.status == psutil.CONN_LISTEN:
                # gRPC takes IPv4 by its place among the IPv6 addresses.
                found.add(f"{each.laddr.ip.removeprefix('::ffff:')}:{each.laddr.port}")
    return found


@pytest.mark.attack(21)
@pytest.mark.skipif(os.getuid() != 0, reason="only root can start a process of another user")
@pytest.mark.skipif(not can_say(), reason="this kernel does not say who calls")
async def test_another_user_of_the_machine_gets_nothing(mesh: Besieged, came: Came) -> None:
    # No part has a door besides: the broker no monitor, and nobody serves metrics.
    doors = {mesh.gateway, *map(mesh.stage, ("nats", "web", *STAGE_CALLS))}
    assert listening(mesh) == doors
    for name, path in STAGE_CALLS.items():
        assert (await called(mesh.stage(name), path, str(NOBODY))).startswith("UNAUTHENTICATED")
    listing = "/maie.job.v1.JobService/ListJobs"
    assert (await called(mesh.gateway, listing, str(NOBODY))).startswith("UNAUTHENTICATED")
    assert await as_another(ASKS, mesh.stage("web")) == "401"
    # The broker asks for a credential, whoever it is.
    nats = mesh.stage("nats")
    assert await as_another(CONNECTS, nats) == "-ERR 'Authorization Violation'"
    with pytest.raises(StageError) as refused:
        async with open_broker(f"nats://{nats}", "somebody"):
            pytest.fail("somebody without a credential was let in")
    assert refused.value.reason == "BROKER_REFUSED"
    layout = mesh.running.layout
    secret = [layout.root, layout.run, *layout.root.rglob("*")]
    assert len(secret) > 20
    # The way there is open to all, so that it is the folder itself that closes.
    for folder in layout.root.parents:
        if folder.stat().st_uid == os.getuid() and "pytest" in str(folder):
            folder.chmod(folder.stat().st_mode | 0o055)
    assert await opened_by_another(layout.root.parent) == str(layout.root.parent)
    assert await opened_by_another(*secret) == ""
    came(
        f"UNAUTHENTICATED, BROKER_REFUSED; no port but {len(doors)}, no monitor; "
        f"{len(secret)} files and folders closed"
    )


@pytest.mark.attack(1)
async def test_no_method_but_health_answers_without_a_caller(mesh: Besieged, came: Came) -> None:
    async with grpc.aio.insecure_channel(mesh.gateway) as channel:
        health: Any = channel.unary_unary("/grpc.health.v1.Health/Check")
        assert await answer(health(b"")) == "OK"
        listing: Any = channel.unary_unary("/maie.job.v1.JobService/ListJobs")
        found = await answer(listing(b"\xff\xff"))
    came(found)
    assert found == "UNAUTHENTICATED CREDENTIALS_MISSING"
