"""The enhancement replicas, which refine finals."""

from __future__ import annotations

from opentelemetry.trace import NoOpTracer, Tracer

from maie.common.v1 import types_pb2 as common
from maie.enhancement.v1 import enhancement_pb2 as enhancement
from maie.enhancement.v1.enhancement_pb2_grpc import EnhancementServiceStub
from maie.event.v1 import event_pb2 as event
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_gateway.engine.workers import LiveWorkers
from maie_gateway.live.recognition.replicas import Replicas
from maie_runtime.rpc.duplex import AnswerStream
from maie_runtime.rpc.tracing import client_call
from maie_tls.files import CertificateFiles

# Failures that a later try may not have.
PASSING = frozenset({Code.UNAVAILABLE, Code.RESOURCE_EXHAUSTED, Code.DEADLINE_EXCEEDED})
CONNECT_SECONDS = 2.0
METHOD = "maie.enhancement.v1.EnhancementService/Enhance"


class Enhancers(Replicas[EnhancementServiceStub]):
    """Has enhancement replicas write clean text.

    Args:
        workers: The live workers.
        seconds: The longest that a replica may take for a request.
        certificates: For TLS with them; None: plain connections.
        tracer: Makes a span of each request.
    """

    def __init__(
        self,
        workers: LiveWorkers,
        seconds: float,
        certificates: CertificateFiles | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        self._tracer = tracer or NoOpTracer()
        super().__init__(workers, _slots, EnhancementServiceStub, "enhancement", certificates)
        self._seconds = seconds

    async def enhance(self, request: enhancement.EnhanceRequest) -> common.Transcript:
        """The transcript of a request with clean text, from the first replica that has room.

        Raises:
            StageError: With a code of `PASSING`: no replica has room, or one did not answer in
                time or died (WORKER_LOST), perhaps of the text. Any other: the text, or the
                engine, is why.
        """
        tried: set[str] = set()
        last = _unavailable("No enhancement worker runs.")
        while (address := self.choose(tried)) is not None:
            tried.add(address)
            try:
                return await self._ask(address, request)
            except StageError as error:
                if error.code is not Code.RESOURCE_EXHAUSTED:
                    self.avoid(address)
                if error.code not in PASSING or error.reason == Reason.WORKER_LOST:
                    raise
                last = error
        raise last

    async def _ask(self, address: str, request: enhancement.EnhanceRequest) -> common.Transcript:
        async with self.calling(address) as peer:
            if not await peer.connects(CONNECT_SECONDS):
                raise _unavailable(f"The enhancement worker at {address} does not answer.")
            with client_call(self._tracer, METHOD, address) as metadata:
                call = peer.stub.Enhance(request, timeout=self._seconds, metadata=metadata)
                answers: AnswerStream[enhancement.EnhanceResponse] = AnswerStream(
                    call, Reason.WORKER_LOST
                )
                try:
                    while (answer := await answers.read()) is not None:
                        if answer.HasField("result"):
                            return answer.result
                finally:
                    answers.cancel()
        raise StageError(
            Code.INTERNAL,
            Reason.STAGE_WITHOUT_RESULT,
            "The enhancement service ended without a result.",
        )


def _unavailable(message: str) -> StageError:
    return StageError(Code.UNAVAILABLE, Reason.ENHANCEMENT_UNAVAILABLE, message)


def _slots(info: event.WorkerInfo) -> int:
    # Without an address it takes tasks only.
    return info.slots if info.stage == common.STAGE_ENHANCEMENT and info.address else 0
