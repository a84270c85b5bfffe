"""How what units gave is shown to clients: a view for each message."""

from __future__ import annotations

from google.protobuf.message import Message

from maie.alignment.v1.alignment_pb2 import Reading
from maie.common.v1.types_pb2 import Transcript
from maie.diarization.v1.diarization_pb2 import Diarization
from maie.preprocess.v1.preprocess_pb2 import PreprocessResult
from maie.quality.v1.quality_pb2 import QualityReport
from maie.speech.v1.speech_pb2 import SpokenSummary
from maie.summary.v1.summary_pb2 import SummarizeResult
from maie_gateway.views.digest import DIGEST
from maie_gateway.views.plan import PLAN
from maie_gateway.views.quality import QUALITY
from maie_gateway.views.reading import READING
from maie_gateway.views.speakers import SPEAKERS
from maie_gateway.views.summary import SUMMARY
from maie_gateway.views.transcript import TRANSCRIPT
from maie_gateway.views.view import View

VIEWS: dict[type[Message], View] = {
    PreprocessResult: PLAN,
    QualityReport: QUALITY,
    Transcript: TRANSCRIPT,
    Diarization: SPEAKERS,
    Reading: READING,
    SummarizeResult: SUMMARY,
    SpokenSummary: DIGEST,
}
"""The table of views, by the message that a unit's output holds."""

__all__ = ["VIEWS", "View"]
