"""The synthesis replicas, which speak."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from datetime import timedelta

from opentelemetry.trace import NoOpTracer, Tracer

from maie.common.v1 import types_pb2 as common
from maie.event.v1 import event_pb2 as event
from maie.speech.v1 import speech_pb2 as speech
from maie.speech.v1.speech_pb2_grpc import SpeechServiceStub
from maie_core.errors import Code, StageError, invalid
from maie_core.reasons import Reason
from maie_core.synthesis import check_synthesis
from maie_gateway.engine.workers import LiveWorkers
from maie_gateway.live.recognition.replicas import Replicas
from maie_runtime.rpc.duplex import AnswerStream
from maie_runtime.rpc.tracing import client_call
from maie_tls.files import CertificateFiles

# Failures that another replica may not have.
PASSING = frozenset({Code.UNAVAILABLE, Code.RESOURCE_EXHAUSTED})
CONNECT_SECONDS = 2.0
RETRY_AFTER = timedelta(seconds=5)
METHOD = "maie.speech.v1.SpeechService/Synthesize"


class Synthesizers(Replicas[SpeechServiceStub]):
    """Has synthesis replicas speak.

    Args:
        workers: The live workers.
        seconds: The longest that a text may take.
        certificates: For TLS with them; None: plain connections.
        tracer: Makes a span of each call.
    """

    def __init__(
        self,
        workers: LiveWorkers,
        seconds: float,
        certificates: CertificateFiles | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        super().__init__(workers, _slots, SpeechServiceStub, "synthesis", certificates)
        self._known = workers
        self._seconds = seconds
        self._tracer = tracer or NoOpTracer()

    def voices(self) -> list[speech.Voice]:
        """The voices of all replicas, each name once; the default one first."""
        found: dict[str, speech.Voice] = {}
        for info in sorted(self._replicas(), key=lambda info: info.instance):
            for voice in _voices(info):
                found.setdefault(voice.name, voice)
        return list(found.values())

    async def speak(
        self, request: speech.SynthesizeRequest
    ) -> AsyncGenerator[speech.SynthesizeResponse, None]:
        """Yields what a replica answers.

        Another one is asked where one has no room or does not answer, as long as none has spoken.

        Raises:
            StageError: INVALID_ARGUMENT as `check_synthesis`, or with FIELD_INVALID or
                SPEECH_VOICE_UNKNOWN; UNAVAILABLE with SPEECH_UNAVAILABLE, RESOURCE_EXHAUSTED with
                NO_SLOT, or what the replica says.
        """
        if request.HasField("summary"):
            raise invalid(
                Reason.FIELD_INVALID,
                "`summary` is for the units of jobs; send `text`, or submit a recording with "
                "FEATURE_DIGEST.",
                field="summary",
            )
        check_synthesis(request)
        self.check_voice(request.voice, "voice")
        tried = self._without(request.voice)
        last = _unavailable("No synthesis service runs.")
        while (address := self.choose(tried)) is not None:
            tried.add(address)
            spoken = False
            try:
                async with aclosing(self._ask(address, request)) as responses:
                    async for response in responses:
                        spoken = True
                        yield response
            except StageError as error:
                if error.reason is Reason.TEXT_NOT_SPEAKABLE:
                    error.field = "text"
                if error.code is Code.UNAVAILABLE:
                    self.avoid(address)
                if spoken or error.code not in PASSING:
                    raise
                last = error
            else:
                return
        raise last

    async def _ask(
        self, address: str, request: speech.SynthesizeRequest
    ) -> AsyncGenerator[speech.SynthesizeResponse, None]:
        async with self.calling(address) as peer:
            if not await peer.connects(CONNECT_SECONDS):
                raise _unavailable(f"The synthesis service at {address} does not answer.")
            with client_call(self._tracer, METHOD, address) as metadata:
                call = peer.stub.Synthesize(request, timeout=self._seconds, metadata=metadata)
                answers: AnswerStream[speech.SynthesizeResponse] = AnswerStream(
                    call, Reason.SPEECH_UNAVAILABLE
                )
                try:
                    while (answer := await answers.read()) is not None:
                        yield answer
                finally:
                    answers.cancel()

    def _replicas(self) -> Iterator[event.WorkerInfo]:
        return (info for info in self._known.known_workers() if _slots(info))

    def check_voice(self, voice: str, field: str) -> None:
        """Refuses a voice that no replica has; accepts any where none runs.

        Args:
            voice: Its name; empty for the default one.
            field: Where the client said so.

        Raises:
            StageError: INVALID_ARGUMENT with SPEECH_VOICE_UNKNOWN.
        """
        known = [each.name for each in self.voices()]
        if voice and known and voice not in known:
            raise invalid(
                Reason.SPEECH_VOICE_UNKNOWN,
                f"There is no voice of this name; the voices are: {', '.join(known)}.",
                field=field,
            )

    def _without(self, voice: str) -> set[str]:
        """The addresses of the replicas that do not have a voice."""
        return {
            info.address
            for info in self._replicas()
            if voice and voice not in {each.name for each in _voices(info)}
        }


def _voices(info: event.WorkerInfo) -> Iterator[speech.Voice]:
    return (voice for model in info.models for voice in model.voices)


def _slots(info: event.WorkerInfo) -> int:
    # Without an address it takes no calls.
    return info.slots if info.stage == common.STAGE_SYNTHESIS and info.address else 0


def _unavailable(message: str) -> StageError:
    return StageError(Code.UNAVAILABLE, Reason.SPEECH_UNAVAILABLE, message, retry_after=RETRY_AFTER)
