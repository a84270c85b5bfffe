"""The whole service: gRPC, health, reflection, and what it says of itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from maie.speech.v1 import speech_pb2 as speech
from maie.speech.v1.speech_pb2_grpc import SpeechServiceStub
from maie_core.settings import MeshSettings
from maie_pipeline.bindings import BINDINGS
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.provision import declare_lanes
from maie_runtime.worker.server import serve_stage
from maie_synthesis.settings import SynthesisSettings
from maie_synthesis.stage import open_stage
from tests.asr.live.test_calls import reason_of
from tests.asr.live.test_service import listed
from tests.conftest import NatsServer
from tests.synthesis.flite import needs_flite
from tests.synthesis.speaking import heard

pytestmark = [pytest.mark.mesh, needs_flite]

BINDING = BINDINGS["synthesis"]


async def test_a_text_is_spoken_over_grpc(
    nats_server: NatsServer, broker: Broker, tmp_path: Path
) -> None:
    await declare_lanes(broker, "synthesis", 15)
    mesh = MeshSettings(nats_url=nats_server.url, blob_url=tmp_path.as_uri())
    own = SynthesisSettings(mesh=mesh, listen="127.0.0.1:0", instance="synthesis-1")
    async with (
        serve_stage(BINDING, own, lambda blobs: open_stage(own, blobs)) as address,
        grpc.aio.insecure_channel(address) as channel,
    ):
        health: Any = health_pb2_grpc.HealthStub(channel)
        checked = await health.Check(health_pb2.HealthCheckRequest(service=BINDING.service))
        assert checked.status == health_pb2.HealthCheckResponse.SERVING
        assert BINDING.service in await listed(channel)

        stub: Any = SpeechServiceStub(channel)
        request = speech.SynthesizeRequest(text="Hello there. How are you?", voice="kal16")
        found = await heard(stub.Synthesize(request))
        assert found.content.startswith(b"RIFF")
        assert found.result is not None
        assert found.result.spoken_sentences == 2
        assert len(found.of(speech.MARK_KIND_WORD)) == 5

        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await heard(stub.Synthesize(speech.SynthesizeRequest(text="Yes.", voice="nobody")))
        assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert reason_of(raised.value) == "SPEECH_VOICE_UNKNOWN"
