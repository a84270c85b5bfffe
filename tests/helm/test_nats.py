"""Three real nats-servers with the configuration of the chart, and the parts they let in."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from maie_core.errors import StageError
from maie_core.reasons import Reason
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import open_broker
from maie_runtime.bus.credentials import Credentials
from maie_runtime.bus.provision import open_provisioned_broker
from maie_runtime.bus.rights import OPERATOR, PROVISION
from maie_runtime.bus.streams import STREAMS
from tests.helm.rendering import RELEASE, containers, named, objects
from tests.helm.servers import SERVERS, Cluster, cluster
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.mesh


async def test_the_servers_of_the_chart_let_in_the_parts_and_nobody_else(tmp_path: Path) -> None:
    async with cluster(tmp_path) as servers:
        await _provisioned(servers)
        assert await _copies(servers) == {1}
        await _run_the_job(servers)
        assert await _copies(servers) == {SERVERS}
        nobody = Credentials(ca=servers.ca.ca_file)
        with pytest.raises(StageError) as refused:
            async with open_broker(servers.url, "nobody", credentials=nobody):
                pass
    assert refused.value.reason is Reason.BROKER_REFUSED


async def _provisioned(servers: Cluster) -> None:
    """As a gateway that is there before the Job."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        async with open_provisioned_broker(
            servers.url,
            PROVISION,
            inbox=subjects.inbox(PROVISION),
            credentials=servers.credentials(PROVISION),
        ):
            pass


async def _copies(servers: Cluster) -> set[int | None]:
    """How many copies there are of the streams."""
    inbox, operator = subjects.inbox(OPERATOR), servers.credentials(OPERATOR)
    async with open_broker(servers.url, OPERATOR, inbox=inbox, credentials=operator) as broker:
        infos = [await broker.jetstream.stream_info(each.name or "") for each in STREAMS]
    return {info.config.num_replicas for info in infos}


async def _run_the_job(servers: Cluster) -> None:
    """What the Job of the chart does."""
    job = named(objects("cpu-only"), "Job", f"{RELEASE}-maie-provision")
    (container,) = containers(job["spec"]["template"])
    credentials = servers.credentials(PROVISION)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "maie_cli", *container["args"]),
        env={
            **os.environ,
            "MAIE_NATS_URL": servers.url,
            "MAIE_NATS_NKEY_FILE": str(credentials.nkey),
            "MAIE_NATS_CA_FILE": str(credentials.ca),
        },
    )
    assert await process.wait() == 0
