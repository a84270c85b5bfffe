"""A mesh as `maie up` makes it, with real engines, that is attacked; it must go on working."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from maie.job.v1 import job_pb2 as job
from maie_client import Client, ClientError
from maie_core.api_keys import BOOTSTRAP_ID, new_key
from tests.attacks.model import Model, model_server
from tests.gateway.access.conftest import USER
from tests.gateway.access.issuer import AUDIENCE, ISSUER, Issuer
from tests.llm.openai_server import MODEL
from tests.mesh.conftest import RunningMesh, sample_audio, start_mesh, write_wav

RAW = ("raw_transcript",)
MAX_UPLOAD_BYTES = 24 * 1024 * 1024
# Of which a recording of half an hour is the longest.
MAX_SECONDS = 1800
UPLOAD_SECONDS = 20
# Of whom all uploads of an attack find a place, and none is sent away at once.
SLOW = "slow"
# Whose flood is over its limit however slowly a machine sends it.
FLOOD = "flood"
LIMITS = {
    # Who sends random messages is not to be sent away before they are read.
    "default": {"requests_per_second": 1_000_000, "requests_burst": 1_000_000},
    SLOW: {"uploads": 240, "active_jobs": 240},
    FLOOD: {"requests_per_second": 2, "requests_burst": 40},
}
Came = Callable[[str], None]


@dataclass(kw_only=True, frozen=True)
class Besieged:
    """A running mesh, and who has which key.

    Attributes:
        running: The mesh; nobody may call its gateway without credentials.
        templates: The folder of its own templates.
        model: The language model that summarises.
        recording: A recording that it reads.
        bootstrap: The key of an admin.
        ours: A key of a tenant.
        theirs: A key of another tenant.
        slow: A key of a tenant with a place for each of its uploads.
        expiring: A key that ends a minute after the mesh began.
        issuer: Whose tokens it takes.
        pids: The processes of its parts at the start.
    """

    running: RunningMesh
    templates: Path
    model: Model
    recording: Path
    bootstrap: str
    ours: str
    theirs: str
    slow: str
    expiring: str
    issuer: Issuer
    pids: dict[str, int]

    @property
    def gateway(self) -> str:
        """HOST:PORT of the gateway."""
        return self.running.gateway

    def client(self, token: str) -> Client:
        """A client with this key."""
        return Client(self.gateway, token=token)

    def stage(self, name: str) -> str:
        """HOST:PORT of a stage."""
        return self.running.layout.address_file(name).read_text()


@pytest.fixture(scope="session")
def model() -> Iterator[Model]:
    """The language model of the mesh that all attacks share."""
    with model_server() as served:
        yield served


@pytest.fixture(scope="session")
def besieged(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Besieged]:
    """The mesh that all attacks share."""
    folder = tmp_path_factory.mktemp("besieged")
    key, issuer = new_key(BOOTSTRAP_ID).text, Issuer()
    issuer.add("one")
    (folder / "bootstrap").write_text(f"{key}\n")
    (folder / "bootstrap").chmod(0o600)
    (folder / "jwks.json").write_text(json.dumps(issuer.jwks()))
    (folder / "templates").mkdir()
    write_wav(folder / "short.wav", sample_audio(4.0))
    running = start_mesh(
        *(folder / "data", "--profile", "tiny"),
        MAIE_GATEWAY_LOCAL_USER="false",
        MAIE_GATEWAY_BOOTSTRAP_KEY_FILE=str(folder / "bootstrap"),
        MAIE_JWT_ISSUER=ISSUER,
        MAIE_JWT_AUDIENCE=AUDIENCE,
        MAIE_JWT_JWKS_FILE=str(folder / "jwks.json"),
        MAIE_TEMPLATES_DIRECTORY=str(folder / "templates"),
        MAIE_GATEWAY_MAX_UPLOAD_BYTES=str(MAX_UPLOAD_BYTES),
        MAIE_GATEWAY_MAX_ACTIVE_JOBS="300",
        MAIE_GATEWAY_MAX_ACTIVE_JOBS_PER_TENANT="40",
        MAIE_GATEWAY_MAX_UPLOADS="256",
        MAIE_GATEWAY_MAX_UPLOADS_PER_TENANT="32",
        MAIE_GATEWAY_UPLOAD_IDLE_SECONDS="4",
        MAIE_GATEWAY_UPLOAD_MAX_SECONDS=str(UPLOAD_SECONDS),
        MAIE_GATEWAY_LIMIT_TENANTS=json.dumps(LIMITS),
        MAIE_GATEWAY_LIMIT_FAILED_CREDENTIALS_PER_MINUTE="1000000",
        MAIE_PREPROCESS_MAX_DURATION_SECONDS=str(MAX_SECONDS),
        MAIE_SUMMARY_ENGINE="openai",
        MAIE_SUMMARY_OPENAI_BASE_URL=model.url,
        MAIE_SUMMARY_OPENAI_MODEL=MODEL,
    )
    with running.process:
        ours, theirs, slow, expiring = asyncio.run(_keys(running.gateway, key))
        yield Besieged(
            running=running,
            templates=folder / "templates",
            model=model,
            recording=folder / "short.wav",
            bootstrap=key,
            ours=ours,
            theirs=theirs,
            slow=slow,
            expiring=expiring,
            issuer=issuer,
            pids=running.pids(),
        )
        running.stop()


async def _keys(gateway: str, admin: str) -> list[str]:
    async with Client(gateway, token=admin) as client:
        made = [
            await client.keys.create(scopes=USER, tenant=tenant)
            for tenant in ("ours", "theirs", SLOW)
        ]
        made.append(await client.keys.create(scopes=USER, lifetime=timedelta(minutes=1)))
    return [each.api_key for each in made]


@pytest.fixture
async def mesh(besieged: Besieged, record_property: Callable[..., None]) -> AsyncIterator[Besieged]:
    """The mesh under attack; afterwards every part lives and the next job runs."""
    yield besieged
    besieged.model.lie()
    assert besieged.running.pids() == besieged.pids
    async with besieged.client(besieged.theirs) as client:
        ended = await run_job(client, besieged.recording)
    assert ended.state == job.JOB_STATE_COMPLETE, ended.failures
    assert ended.results.raw_transcript
    record_property("survived", True)


@pytest.fixture
def came(request: pytest.FixtureRequest, record_property: Callable[..., None]) -> Came:
    """Notes what came of an attack, for the table of `make attacks`."""
    marker = request.node.get_closest_marker("attack")
    record_property("attack", marker.args[0])
    return lambda what: record_property("came", what)


async def run_job(client: Client, source: Any, **options: Any) -> job.Job:
    """A job at its end."""
    options.setdefault("features", RAW)
    accepted = await client.create_job(source, **options)
    events = [each async for each in client.watch_job(accepted.job_id)]
    return events[-1].finished.job


async def answer(asking: Any) -> str:
    """How a call ends: `CODE REASON`, or `OK`."""
    try:
        if hasattr(asking, "__aiter__"):
            async for _ in asking:
                pass
        else:
            await asking
    except ClientError as error:
        return f"{error.code.name} {error.reason}"
    except grpc.aio.AioRpcError as error:
        return f"{error.code().name} {reason_of(error)}".strip()
    return "OK"


def reason_of(error: grpc.aio.AioRpcError) -> str:
    """The reason in the details of an error; empty where there is none."""
    status: Any = rpc_status.from_call(error)  # type: ignore[arg-type]
    for detail in status.details if status else ():
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            return info.reason
    return ""


async def answers(asking: list[Awaitable[Any]]) -> set[str]:
    """How several calls end, one after the other."""
    return {await answer(each) for each in asking}
