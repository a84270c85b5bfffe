"""The stages that a recording can go through."""

from __future__ import annotations

from maie_pipeline.bindings import BINDINGS
from maie_pipeline.recording import RECORDING

JOB_STAGES = [
    slug
    for slug, binding in BINDINGS.items()
    if binding.stage in {node.stage for node in RECORDING.nodes}
]
"""Their slugs, in the order of the work; others take direct calls alone."""
