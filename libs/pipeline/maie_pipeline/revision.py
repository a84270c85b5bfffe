"""The pipeline of a revision of a transcript, which is summarised again.

    text -> transcript[i] -> enhancement[i] -> summary.map[i] -> summary.reduce

The unit `text` is complete when the job begins, and gives the transcripts of the chunks: a gateway
takes them from another job. The rest is as for a recording; a text that is clean is not cleaned.
"""

from __future__ import annotations

from maie_pipeline.pipeline import Pipeline
from maie_pipeline.text import given_text_nodes

TEXT_UNIT = "text"

REVISION = Pipeline(name="revision", nodes=given_text_nodes(TEXT_UNIT))
