"""The ASR replicas that take live tracks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias

from opentelemetry.trace import NoOpTracer, Tracer

from maie.asr.v1 import streaming_pb2 as asr
from maie.asr.v1.streaming_pb2_grpc import StreamingAsrServiceStub
from maie.common.v1 import types_pb2 as common
from maie.event.v1 import event_pb2 as event
from maie_core.reasons import Reason
from maie_gateway.engine.workers import LiveWorkers
from maie_gateway.live.recognition.replicas import Replicas
from maie_runtime.rpc.duplex import DuplexCall
from maie_runtime.rpc.tracing import client_call
from maie_tls.files import CertificateFiles

AsrCall: TypeAlias = DuplexCall[asr.StreamingRecognizeRequest, asr.StreamingRecognizeResponse]

METHOD = "maie.asr.v1.StreamingAsrService/StreamingRecognize"


class AsrReplicas(Replicas[StreamingAsrServiceStub]):
    """Calls ASR replicas, a call for each track.

    Args:
        workers: The live workers.
        certificates: For TLS with them; None: plain connections.
        tracer: Makes a span of each call.
    """

    def __init__(
        self,
        workers: LiveWorkers,
        certificates: CertificateFiles | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        self._tracer = tracer or NoOpTracer()
        super().__init__(workers, _tracks, StreamingAsrServiceStub, "asr", certificates)

    def check(self, options: asr.StreamingOptions, field: str) -> None:
        """Refuses options that no replica supports; accepts any where none is known.

        Args:
            options: What a client said.
            field: Where it said so, such as "configure.options".

        Raises:
            StageError: INVALID_ARGUMENT with OPTION_NOT_SUPPORTED.
        """
        self._workers.check_asr_options(options.transcribe, f"{field}.transcribe")
        self._workers.check_turns(options.turns, f"{field}.turns")

    @asynccontextmanager
    async def call(self, address: str) -> AsyncIterator[AsrCall]:
        """A call of a replica; ended with the context."""
        async with self.calling(address) as peer:
            with client_call(self._tracer, METHOD, address) as metadata:
                made = peer.stub.StreamingRecognize(metadata=metadata)
                call = AsrCall(made, Reason.LIVE_UNAVAILABLE)
                try:
                    yield call
                finally:
                    call.cancel()


def _tracks(info: event.WorkerInfo) -> int:
    return info.live_tracks if info.stage == common.STAGE_ASR else 0
