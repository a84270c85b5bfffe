"""Calls that break while their client goes on sending."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import grpc
import pytest
from structlog.testing import capture_logs

from maie.live.v1 import live_pb2 as live
from maie_core.reasons import Reason
from tests.chaos.silence import SilentProxy
from tests.gateway.live.conftest import LiveMesh
from tests.gateway.live.conversation import config, talking
from tests.gateway.live.speech import said
from tests.waiting import until

pytestmark = pytest.mark.mesh

LEFT = "session.left"
FLAC = live.AudioFormat(encoding=live.AUDIO_ENCODING_FLAC)


@pytest.mark.slow
async def test_what_comes_after_a_call_broke_is_no_error_that_nobody_sees(
    live_mesh: LiveMesh,
) -> None:
    unseen: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unseen.append(context))
    # No replica: one track waits for one, for longer than a decoder needs to start, while what the
    # other sends is no sound.
    async with live_mesh.gateway(patience_seconds=10.0) as address, talking(address) as talk:
        await talk.start(config())
        await talk.audio("bob", said([1]))
        await talk.send(join=live.TrackJoin(track="ann", sequence=talk.number("ann"), format=FLAC))
        for content in (b"garbage" * 100, *[b"more"] * 20):
            message = live.TrackAudio(track="ann", sequence=talk.number("ann"), content=content)
            await talk.send(audio=message)
        status, reason = await talk.failure()
        await until(lambda: not _of_sessions())
    gc.collect()
    assert (status, reason) == (grpc.StatusCode.INVALID_ARGUMENT, Reason.AUDIO_FORMAT_INVALID)
    assert not unseen


async def test_a_call_whose_connection_falls_is_no_disorder_of_its_messages(
    live_mesh: LiveMesh,
) -> None:
    with capture_logs() as lines:
        async with (
            live_mesh.gateway() as address,
            SilentProxy(address) as proxy,
            talking(proxy.address) as talk,
        ):
            await talk.start()
            proxy.hang_up()
            (left,) = await until(lambda: [each for each in lines if each["event"] == LEFT])
    assert left["reason"] == Reason.STREAM_INCOMPLETE


def _of_sessions() -> list[str]:
    names = (getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks())
    return [name for name in names if name.startswith(("LiveSession", "LiveSessions"))]
