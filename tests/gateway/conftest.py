"""A gateway and four empty stages around a real nats-server, in one process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from maie_client import Client
from maie_core.settings import MeshSettings, ServiceSettings
from maie_gateway.server import serve_gateway
from maie_gateway.settings import GatewaySettings
from maie_pipeline.bindings import BINDINGS
from maie_runtime.bus.provision import open_provisioned_broker
from maie_runtime.worker.server import serve_stage
from tests.conftest import NatsServer, free_port, running_nats
from tests.empty_stages import EmptyStage, empty_stages


@dataclass(kw_only=True)
class EmptyMesh:
    """Starts the parts of a mesh, each when a test wants it.

    Attributes:
        nats: The broker.
        mesh: The settings that all parts share.
        stages: The stages by slug.
        gateway_options: Settings of the gateway.
        service_options: Settings of each service.
    """

    nats: NatsServer
    mesh: MeshSettings
    stages: dict[str, EmptyStage] = field(default_factory=empty_stages)
    gateway_options: dict[str, Any] = field(default_factory=dict)
    service_options: dict[str, Any] = field(default_factory=dict)

    def measure_gateway(self) -> int:
        """Lets the gateway, and no other part, serve its metrics; gives their port."""
        port = free_port()
        metrics = {"metrics_listen": f"127.0.0.1:{port}"}
        self.gateway_options["mesh"] = self.mesh.model_copy(update=metrics)
        return port

    def gateway(self) -> AbstractAsyncContextManager[str]:
        """A gateway; gives its address."""
        options = {"listen": "127.0.0.1:0", "mesh": self.mesh, **self.gateway_options}
        return serve_gateway(GatewaySettings(**options))

    def service(self, slug: str) -> AbstractAsyncContextManager[str]:
        """A stage's service; gives its address."""
        settings = ServiceSettings(mesh=self.mesh, **self.service_options)
        return serve_stage(BINDINGS[slug], settings, self.stages[slug].opened)

    @asynccontextmanager
    async def services(self) -> AsyncIterator[None]:
        """The services of all stages."""
        async with AsyncExitStack() as stack:
            for slug in BINDINGS:
                await stack.enter_async_context(self.service(slug))
            yield

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Client]:
        """The whole mesh; gives a client of its gateway."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.services())
            address = await stack.enter_async_context(self.gateway())
            yield await stack.enter_async_context(Client(address))


@pytest.fixture
async def empty_mesh(nats_server: NatsServer, tmp_path: Path) -> EmptyMesh:
    """The parts of a mesh, none started; the broker is provisioned."""
    return await provisioned_mesh(nats_server, tmp_path)


@pytest.fixture(scope="module")
async def shared_mesh(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmptyMesh]:
    """The parts of a mesh that the tests of a file share, of which each leaves nothing behind."""
    folder = tmp_path_factory.mktemp("shared")
    async with running_nats(folder) as nats:
        yield await provisioned_mesh(nats, folder)


async def provisioned_mesh(nats: NatsServer, folder: Path) -> EmptyMesh:
    """The parts of a mesh around a broker, with files in a folder; none started."""
    async with open_provisioned_broker(nats.url, "test"):
        pass
    mesh = MeshSettings(
        nats_url=nats.url, blob_url=f"file://{folder}/blobs", shutdown_grace_seconds=1
    )
    return EmptyMesh(nats=nats, mesh=mesh)
