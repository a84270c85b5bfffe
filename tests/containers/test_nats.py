"""The mesh's streams on NATS in a container."""

from __future__ import annotations

import pytest

from maie_runtime.bus.broker import open_broker
from maie_runtime.bus.provision import is_provisioned, open_provisioned_broker
from tests.conftest import free_port
from tests.containers.conftest import Run
from tests.containers.engine import nats_image

pytestmark = pytest.mark.mesh

READY = "Server is ready"


async def test_streams_outlive_their_container(run: Run) -> None:
    port = free_port()
    command = ["--addr", "127.0.0.1", "--port", str(port), "--jetstream", "--store_dir", "/data"]
    url = f"nats://127.0.0.1:{port}"
    with nats_image() as image:
        with run(image, command, READY):
            async with open_provisioned_broker(url, "gateway") as broker:
                assert await is_provisioned(broker)
        with run(image, command, READY):
            async with open_broker(url, "gateway") as broker:
                assert await is_provisioned(broker)
