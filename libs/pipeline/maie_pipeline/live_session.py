"""The pipeline of a live session.

    live -> transcript[i] -> enhancement[i] -> summary.map[i] -> summary.reduce

The session itself is the unit `live`: a gateway ends it and divides the text of all finals into
chunks, whose transcripts are there at once. The rest is as for a recording. Where the session keeps
its audio, a gateway puts that together in the unit `audio`, beside the work on the text.
"""

from __future__ import annotations

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.live.v1 import session_pb2 as session
from maie_pipeline.nodes import Node, Scope
from maie_pipeline.pipeline import Pipeline
from maie_pipeline.text import given_text_nodes

LIVE_UNIT = "live"
AUDIO_UNIT = "audio"

LIVE_SESSION = Pipeline(name="live_session", nodes=given_text_nodes(LIVE_UNIT))

LIVE_SESSION_WITH_AUDIO = Pipeline(
    name="live_session_with_audio",
    nodes=(
        *LIVE_SESSION.nodes,
        Node(
            name=AUDIO_UNIT,
            stage=common.STAGE_ASR,
            scope=Scope.JOB,
            state=job.JOB_STATE_PROCESSING_ASR,
            needs=((LIVE_UNIT,),),
            request=None,
            output=session.SessionAudio,
            shown=False,
        ),
    ),
)
"""The same for a session that keeps its audio. An earlier gateway, which would not, refuses it."""

LIVE_PIPELINES = frozenset({LIVE_SESSION.name, LIVE_SESSION_WITH_AUDIO.name})
"""The names of the pipelines of live sessions."""
