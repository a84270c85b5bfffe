"""How a text was read: a node after the words of a recording.

WORDS[i] -> alignment
"""

from __future__ import annotations

from collections.abc import Sequence

from maie.alignment.v1 import alignment_pb2 as alignment
from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_pipeline.nodes import Node, Scope


def reading_node(*, cut: str, words: str) -> Node:
    """The node that compares a recording with its text, where a job wants that.

    Args:
        cut: The node that cuts the recording.
        words: The node whose outputs the transcripts of the chunks are, with times of words.
    """
    return Node(
        name="alignment",
        stage=common.STAGE_ALIGNMENT,
        scope=Scope.JOIN,
        state=job.JOB_STATE_PROCESSING_ASR,
        needs=((cut,), (words,)),
        features=frozenset({job.FEATURE_READING}),
        request=_align,
        output=alignment.Reading,
    )


def _align(
    source: record.JobRecord, _: record.Unit, needs: Sequence[record.Unit]
) -> alignment.AlignRequest:
    cut, *chunks = needs
    stored = alignment.ChunksSource(
        preprocessed=cut.output, transcripts=[chunk.output for chunk in chunks]
    )
    return alignment.AlignRequest(chunks=stored, stored_options=source.reading_options)
