"""A broker whose disk was full writes again when there is space, and has lost nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.errors import APIError

from maie_cli.mesh.broker import credentials
from maie_cli.mesh.broker_care import care_for
from maie_cli.mesh.child import Child
from maie_cli.mesh.layout import Layout
from maie_cli.mesh.options import MeshOptions
from maie_cli.mesh.parts import plan
from maie_runtime.bus.broker import open_broker
from maie_runtime.bus.rights import OPERATOR
from tests.chaos.disk import no_small_disk, small_disk
from tests.waiting import PATIENCE_SECONDS

pytestmark = [
    pytest.mark.mesh,
    pytest.mark.skipif(bool(no_small_disk()), reason=str(no_small_disk())),
]

KEPT = b"x" * 100_000
MESSAGES = 250


@pytest.mark.slow
async def test_a_broker_that_could_not_write_is_started_anew_once_it_can(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    told: list[str] = []
    with small_disk(layout.nats) as disk:
        layout.create()
        broker = Child(
            plan(MeshOptions(data=tmp_path, port_base=0), layout)[0], layout, told.append
        )
        await broker.start()
        caring = asyncio.create_task(care_for(broker, layout, told.append))
        try:
            await broker.wait_ready(PATIENCE_SECONDS)
            async with open_broker(
                f"nats://{broker.part.address}", "test", credentials=credentials(layout, OPERATOR)
            ) as opened:
                stream = opened.client.jetstream(timeout=1)
                await stream.add_stream(name="KEPT", subjects=["kept"])
                for _ in range(MESSAGES):
                    await stream.publish("kept", KEPT)
                await disk.fill()
                while await _writes(stream):
                    await asyncio.sleep(0.02)
                async with asyncio.timeout(PATIENCE_SECONDS):
                    while not told:
                        await asyncio.sleep(0.1)
                assert "free some space" in told[0]
                disk.free()
                async with asyncio.timeout(PATIENCE_SECONDS):
                    while not await _writes(stream):
                        await asyncio.sleep(0.1)
                assert "starting it anew" in told[1]
                info = await stream.stream_info("KEPT")
                assert info.state.messages > MESSAGES
        finally:
            caring.cancel()
            await broker.stop(grace=5)


async def _writes(stream: JetStreamContext) -> bool:
    try:
        await stream.publish("kept", KEPT)
    except (NatsError, APIError, OSError):
        return False
    return True
