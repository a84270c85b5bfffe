"""The summary as speech: a node after that of the summary.

SUMMARY -> digest
"""

from __future__ import annotations

from collections.abc import Sequence

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie.speech.v1 import speech_pb2 as speech
from maie_pipeline.nodes import Node, Scope

DIGEST_UNIT = "digest"


def digest_node(*, summary: str) -> Node:
    """The node that speaks the summary, where a job wants that.

    Args:
        summary: The node that makes the summary.
    """
    return Node(
        name=DIGEST_UNIT,
        stage=common.STAGE_SYNTHESIS,
        scope=Scope.JOIN,
        state=job.JOB_STATE_PROCESSING_LLM,
        needs=((summary,),),
        features=frozenset({job.FEATURE_DIGEST}),
        request=_request,
        output=speech.SpokenSummary,
    )


def _request(
    source: record.JobRecord, _: record.Unit, needs: Sequence[record.Unit]
) -> speech.SynthesizeRequest:
    options = source.config.speech_options
    return speech.SynthesizeRequest(
        voice=options.voice,
        speed=options.speed,
        format=options.format or speech.AUDIO_FORMAT_MP3,
        summary=speech.SummarySource(summary=needs[0].output, template=source.template),
    )
