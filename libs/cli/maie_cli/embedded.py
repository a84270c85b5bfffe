"""A mesh that lives as long as a command."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from maie_cli.console import note
from maie_cli.gateway import gateway_client
from maie_cli.mesh.local import LocalMesh
from maie_cli.mesh.options import MeshOptions
from maie_client import Client


@asynccontextmanager
async def client_of(*, embedded: bool, gateway: str, tenant: str) -> AsyncIterator[Client]:
    """A client of the gateway, or of a mesh that lives as long.

    Raises:
        MeshError: The mesh does not start.
    """
    if not embedded:
        async with gateway_client(gateway, tenant) as client:
            yield client
        return
    with TemporaryDirectory(prefix="maie-embedded-") as data:
        options = MeshOptions(data=Path(data), port_base=0)
        async with (
            LocalMesh(options, note) as mesh,
            gateway_client(mesh.gateway, key_file=mesh.key_file) as client,
        ):
            yield client
