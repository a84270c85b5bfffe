"""The diarization replicas that take live tracks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias

from opentelemetry.trace import NoOpTracer, Tracer

from maie.common.v1 import types_pb2 as common
from maie.diarization.v1 import streaming_pb2 as diarization
from maie.diarization.v1.streaming_pb2_grpc import StreamingDiarizationServiceStub
from maie.event.v1 import event_pb2 as event
from maie_core.reasons import Reason
from maie_gateway.engine.workers import LiveWorkers
from maie_gateway.live.recognition.replicas import Replicas
from maie_runtime.rpc.duplex import DuplexCall
from maie_runtime.rpc.tracing import client_call
from maie_tls.files import CertificateFiles

DiarizationCall: TypeAlias = DuplexCall[
    diarization.StreamingDiarizeRequest, diarization.StreamingDiarizeResponse
]

METHOD = "maie.diarization.v1.StreamingDiarizationService/StreamingDiarize"


class Diarizers(Replicas[StreamingDiarizationServiceStub]):
    """Calls diarization replicas, a call for each track that several people share.

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
        super().__init__(
            workers, _tracks, StreamingDiarizationServiceStub, "diarization", certificates
        )

    @asynccontextmanager
    async def call(self, address: str) -> AsyncIterator[DiarizationCall]:
        """A call of a replica; ended with the context."""
        async with self.calling(address) as peer:
            with client_call(self._tracer, METHOD, address) as metadata:
                made = peer.stub.StreamingDiarize(metadata=metadata)
                call = DiarizationCall(made, Reason.LIVE_UNAVAILABLE)
                try:
                    yield call
                finally:
                    call.cancel()


def _tracks(info: event.WorkerInfo) -> int:
    return info.live_tracks if info.stage == common.STAGE_DIARIZATION else 0
