"""The stages that a recording can go through."""

from __future__ import annotations

from maie_pipeline.bindings import BINDINGS
from maie_pipeline.recording import RECORDING
from tests.synthesis.flite import is_installed

DIGEST = ["digest"] if is_installed() else []
"""The feature that needs Flite, where that is."""
JOB_STAGES = [
    slug
    for slug, binding in BINDINGS.items()
    if binding.stage in {node.stage for node in RECORDING.nodes} and (DIGEST or slug != "synthesis")
]
"""Their slugs, in the order of the work: those of a mesh that is started here."""
