"""Three real nats-servers with the configuration of the chart, and the parts they let in."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from maie_core.errors import StageError
from maie_core.reasons import Reason
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import open_broker
from maie_runtime.bus.credentials import Credentials
from maie_runtime.bus.provision import open_provisioned_broker
from maie_runtime.bus.rights import OPERATOR, PROVISION
from tests.helm.servers import SERVERS, Cluster, cluster
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.mesh


async def test_the_servers_of_the_chart_let_in_the_parts_and_nobody_else(tmp_path: Path) -> None:
    async with cluster(tmp_path) as servers:
        await _provisioned(servers)
        await _three_copies(servers)
        nobody = Credentials(ca=servers.ca.ca_file)
        with pytest.raises(StageError) as refused:
            async with open_broker(servers.url, "nobody", credentials=nobody):
                pass
    assert refused.value.reason is Reason.BROKER_REFUSED


async def _provisioned(servers: Cluster) -> None:
    """What the Job of the chart does."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        async with open_provisioned_broker(
            servers.url,
            PROVISION,
            inbox=subjects.inbox(PROVISION),
            credentials=servers.credentials(PROVISION),
        ):
            pass


async def _three_copies(servers: Cluster) -> None:
    """What the README of the chart has an operator do."""
    inbox, operator = subjects.inbox(OPERATOR), servers.credentials(OPERATOR)
    async with open_broker(servers.url, OPERATOR, inbox=inbox, credentials=operator) as broker:
        info = await broker.jetstream.stream_info(subjects.TASKS)
        assert info.config.num_replicas == 1
        changed = await broker.jetstream.update_stream(replace(info.config, num_replicas=SERVERS))
        assert changed.config.num_replicas == SERVERS
