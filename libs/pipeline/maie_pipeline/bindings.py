"""The table of stages in the order of the work, with the RPC and the task field of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from maie.alignment.v1 import alignment_pb2
from maie.asr.v1 import asr_pb2, streaming_pb2
from maie.common.v1 import types_pb2 as common
from maie.diarization.v1 import diarization_pb2
from maie.diarization.v1 import streaming_pb2 as diarization_streaming_pb2
from maie.enhancement.v1 import enhancement_pb2
from maie.event.v1 import event_pb2 as event
from maie.preprocess.v1 import preprocess_pb2
from maie.quality.v1 import quality_pb2
from maie.speech.v1 import speech_pb2
from maie.summary.v1 import summary_pb2


@dataclass(kw_only=True, frozen=True, slots=True)
class StreamBinding:
    """An RPC of a stage with a stream of requests, for work that is no unit.

    Attributes:
        service: The gRPC service's full name.
        method: The RPC's name within the service.
        request: The message of a request.
        response: The message of a response.
        setting: What says in the environment how many calls a service takes.
    """

    service: str
    method: str
    request: type[Message]
    response: type[Message]
    setting: str


@dataclass(kw_only=True, frozen=True, slots=True)
class StageBinding:
    """One stage's place in the contract.

    Attributes:
        slug: The stage in subjects, environment names and task fields.
        stage: The stage in messages.
        service: The gRPC service's full name.
        method: The RPC's name within the service.
        request: The RPC's request. In a StageTask it is the field `slug`, or `other` where the
            contract has no such field.
        response: The RPC's response, likewise in a UnitProgress.
        results: The updates of a response that end the work. A unit's output is what they hold.
        distribution: The distribution that serves the stage; maie-SLUG where empty.
        stream: What else the stage may answer.
    """

    slug: str
    stage: common.Stage
    service: str
    method: str
    request: type[Message]
    response: type[Message]
    results: frozenset[str] = frozenset({"result"})
    distribution: str = ""
    stream: StreamBinding | None = None

    @property
    def services(self) -> tuple[str, ...]:
        """The full names of the stage's gRPC services."""
        return (self.service, self.stream.service) if self.stream else (self.service,)

    def set_request(self, task: event.StageTask, request: Message) -> None:
        """Gives a task the request of this stage."""
        _put(task, self.slug, request)

    def request_of(self, task: event.StageTask) -> Any:
        """A task's request; None if it is for another stage."""
        return _content(task, "request", self.slug, self.request)

    def progress_of(self, response: Message) -> event.UnitProgress:
        """The progress event of a response, for watchers."""
        progress = event.UnitProgress()
        _put(progress, self.slug, response)
        return progress

    def response_of(self, progress: event.UnitProgress) -> Any:
        """The response in a progress event; None if it is of another stage."""
        return _content(progress, "response", self.slug, self.response)


def _put(holder: Any, slug: str, content: Message) -> None:
    if slug in holder.DESCRIPTOR.fields_by_name:
        getattr(holder, slug).CopyFrom(content)
    else:
        holder.other.Pack(content)


def _content(holder: Any, oneof: str, slug: str, kind: type[Message]) -> Any:
    field = holder.WhichOneof(oneof)
    if field == slug:
        return getattr(holder, slug)
    if field != "other" or slug in holder.DESCRIPTOR.fields_by_name:
        return None
    content = kind()
    return content if holder.other.Unpack(content) else None


BINDINGS: dict[str, StageBinding] = {
    binding.slug: binding
    for binding in (
        StageBinding(
            slug="preprocess",
            stage=common.STAGE_PREPROCESS,
            service="maie.preprocess.v1.PreprocessService",
            method="Preprocess",
            request=preprocess_pb2.PreprocessRequest,
            response=preprocess_pb2.PreprocessResponse,
        ),
        StageBinding(
            slug="asr",
            stage=common.STAGE_ASR,
            service="maie.asr.v1.AsrService",
            method="Transcribe",
            request=asr_pb2.TranscribeRequest,
            response=asr_pb2.TranscribeResponse,
            stream=StreamBinding(
                service="maie.asr.v1.StreamingAsrService",
                method="StreamingRecognize",
                request=streaming_pb2.StreamingRecognizeRequest,
                response=streaming_pb2.StreamingRecognizeResponse,
                setting="MAIE_ASR_LIVE_TRACKS",
            ),
        ),
        StageBinding(
            slug="diarization",
            stage=common.STAGE_DIARIZATION,
            service="maie.diarization.v1.DiarizationService",
            method="Diarize",
            request=diarization_pb2.DiarizeRequest,
            response=diarization_pb2.DiarizeResponse,
            results=frozenset({"voices", "diarization", "transcript"}),
            stream=StreamBinding(
                service="maie.diarization.v1.StreamingDiarizationService",
                method="StreamingDiarize",
                request=diarization_streaming_pb2.StreamingDiarizeRequest,
                response=diarization_streaming_pb2.StreamingDiarizeResponse,
                setting="MAIE_DIARIZATION_LIVE_TRACKS",
            ),
        ),
        StageBinding(
            slug="quality",
            stage=common.STAGE_QUALITY,
            service="maie.quality.v1.QualityService",
            method="Assess",
            request=quality_pb2.AssessRequest,
            response=quality_pb2.AssessResponse,
            results=frozenset({"measures", "report"}),
        ),
        StageBinding(
            slug="alignment",
            stage=common.STAGE_ALIGNMENT,
            service="maie.alignment.v1.AlignmentService",
            method="Align",
            request=alignment_pb2.AlignRequest,
            response=alignment_pb2.AlignResponse,
            results=frozenset({"reading"}),
        ),
        StageBinding(
            slug="enhancement",
            stage=common.STAGE_ENHANCEMENT,
            service="maie.enhancement.v1.EnhancementService",
            method="Enhance",
            request=enhancement_pb2.EnhanceRequest,
            response=enhancement_pb2.EnhanceResponse,
        ),
        StageBinding(
            slug="summary",
            stage=common.STAGE_SUMMARY,
            service="maie.summary.v1.SummaryService",
            method="Summarize",
            request=summary_pb2.SummarizeRequest,
            response=summary_pb2.SummarizeResponse,
        ),
        StageBinding(
            slug="synthesis",
            stage=common.STAGE_SYNTHESIS,
            service="maie.speech.v1.SpeechService",
            method="Synthesize",
            request=speech_pb2.SynthesizeRequest,
            response=speech_pb2.SynthesizeResponse,
            results=frozenset({"result", "spoken_summary"}),
        ),
    )
}


def binding_of(stage: int) -> StageBinding | None:
    """A stage's place in the contract; None if this version does not know the stage.

    Args:
        stage: A Stage.
    """
    return next((binding for binding in BINDINGS.values() if binding.stage == stage), None)
