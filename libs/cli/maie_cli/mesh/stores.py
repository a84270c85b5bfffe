"""Where a mesh keeps its jobs: its broker and its object store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from maie_cli.mesh.broker import credentials
from maie_cli.mesh.child import Child, Report
from maie_cli.mesh.errors import MeshError
from maie_cli.mesh.layout import Layout
from maie_cli.mesh.objects import blob_url, choose_blob_url
from maie_cli.mesh.parts import NATS, broker_alone
from maie_core.settings import MeshSettings, load_settings
from maie_runtime.bus.credentials import Credentials, credentials_of
from maie_runtime.bus.rights import OPERATOR

START_SECONDS = 60.0
STOP_SECONDS = 30.0


@dataclass(kw_only=True, frozen=True, slots=True)
class Stores:
    """The broker and the object store of a mesh.

    Attributes:
        nats_url: The broker.
        credentials: What it asks of an operator.
        blob_url: The object store.
    """

    nats_url: str
    credentials: Credentials
    blob_url: str


def stores_by_settings() -> Stores:
    """Those of MAIE_NATS_URL and MAIE_BLOB_URL."""
    mesh = load_settings(MeshSettings)
    return Stores(nats_url=mesh.nats_url, credentials=credentials_of(mesh), blob_url=mesh.blob_url)


@asynccontextmanager
async def running_stores(layout: Layout, report: Report) -> AsyncIterator[Stores]:
    """Those of a folder of `maie up`; where that does not run, its broker alone is started.

    Raises:
        MeshError: There is no mesh in the folder, or its broker does not start.
    """
    if not layout.nats.is_dir():
        raise MeshError(f"There is no mesh in {layout.root}; name its folder with --data.")
    address = layout.address_file(NATS)
    if NATS in layout.pids():
        yield _stores(layout, address.read_text())
    else:
        async with stopped_stores(layout, report) as stores:
            yield stores


@asynccontextmanager
async def stopped_stores(
    layout: Layout, report: Report, blob_url: str = ""
) -> AsyncIterator[Stores]:
    """Those of a folder of `maie up` that does not run, with its broker alone started.

    Args:
        layout: The folder; made where it is absent.
        report: Called with a line when the broker dies and is restarted.
        blob_url: The object store; empty for the folder's own.

    Raises:
        MeshError: The mesh runs, its objects are in another store, or its broker does not start.
    """
    layout.create()
    with layout.locked():
        choose_blob_url(layout, blob_url)
        broker = Child(broker_alone(layout), layout, report)
        try:
            await broker.start()
            await broker.wait_ready(START_SECONDS)
            yield _stores(layout, broker.part.address)
        finally:
            await broker.stop(STOP_SECONDS)


def _stores(layout: Layout, address: str) -> Stores:
    return Stores(
        nats_url=f"nats://{address}",
        credentials=credentials(layout, OPERATOR),
        blob_url=blob_url(layout),
    )
