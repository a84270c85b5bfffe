"""A session whose utterances a model is to end, at gateways with and without such replicas."""

from __future__ import annotations

import grpc
import pytest

from maie.asr.v1 import streaming_pb2 as asr
from maie.live.v1 import live_pb2 as live
from maie_core.options import TURN_MODEL
from tests.gateway.live.conftest import LiveMesh
from tests.gateway.live.conversation import config, expected, talking
from tests.gateway.live.loud_asr import replica
from tests.gateway.live.speech import said

pytestmark = pytest.mark.mesh


def by_model() -> live.SessionConfig:
    wanted = config()
    wanted.turns.detector = asr.TURN_DETECTOR_MODEL
    return wanted


async def test_what_no_replica_has_is_refused_at_the_start(live_mesh: LiveMesh) -> None:
    async with live_mesh.running() as (address, _), talking(address) as talk:
        await talk.send(start=live.StartSession(config=by_model()))
        assert await talk.failure() == (
            grpc.StatusCode.INVALID_ARGUMENT,
            "OPTION_NOT_SUPPORTED",
        )


CHANGE = live.ConfigureSession(options={"turns": {"detector": asr.TURN_DETECTOR_MODEL}})


async def test_what_no_replica_has_is_refused_later_as_at_the_start(live_mesh: LiveMesh) -> None:
    async with live_mesh.running() as (address, first):
        async with talking(address) as talk:
            started = await talk.start()
            await talk.send(configure=CHANGE)
            assert await talk.failure() == (
                grpc.StatusCode.INVALID_ARGUMENT,
                "OPTION_NOT_SUPPORTED",
            )
        # A call that resumes the session goes on without it.
        async with talking(address) as again:
            await again.resume(started)
            await again.audio("ann", said([1]))
            await again.end()
            assert again.finals() == expected("ann", [1])
        (used,) = first.asr.configs
        assert used.options.turns.detector == asr.TURN_DETECTOR_UNSPECIFIED


async def test_what_one_replica_has_may_be_chosen_later(live_mesh: LiveMesh) -> None:
    async with (
        replica(live_mesh.broker, "asr-1", capabilities=[TURN_MODEL]) as one,
        live_mesh.gateway() as address,
        talking(address) as talk,
    ):
        await talk.start()
        await talk.send(configure=CHANGE)
        await talk.audio("ann", said([1]))
        await talk.end()
        (used,) = one.asr.configs
        assert used.options.turns.detector == asr.TURN_DETECTOR_MODEL


async def test_what_one_replica_has_is_taken(live_mesh: LiveMesh) -> None:
    async with (
        live_mesh.replica(),
        replica(live_mesh.broker, "asr-2", capabilities=[TURN_MODEL]),
        live_mesh.gateway() as address,
        talking(address) as talk,
    ):
        started = await talk.start(by_model())
        assert started.config.turns.detector == asr.TURN_DETECTOR_MODEL
