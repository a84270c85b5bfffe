"""The table of stages, in the order of the work: which RPC and which task field is whose."""

from __future__ import annotations

from dataclasses import dataclass

from google.protobuf.message import Message

from maie.asr.v1 import asr_pb2
from maie.common.v1 import types_pb2 as common
from maie.enhancement.v1 import enhancement_pb2
from maie.preprocess.v1 import preprocess_pb2
from maie.summary.v1 import summary_pb2


@dataclass(kw_only=True, frozen=True, slots=True)
class StageBinding:
    """One stage's place in the contract.

    Attributes:
        slug: The stage in subjects, environment names and task fields.
        stage: The stage in messages.
        service: The gRPC service's full name.
        method: The RPC's name within the service.
        request: The RPC's request, also the field `slug` of a StageTask.
        response: The RPC's response, also the field `slug` of a UnitProgress.
    """

    slug: str
    stage: common.Stage
    service: str
    method: str
    request: type[Message]
    response: type[Message]


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
    )
}
