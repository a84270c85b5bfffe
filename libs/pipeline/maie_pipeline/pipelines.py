"""The table of pipelines, by the names that job records hold."""

from __future__ import annotations

from maie_pipeline.pipeline import Pipeline
from maie_pipeline.recording import RECORDING

PIPELINES: dict[str, Pipeline] = {pipeline.name: pipeline for pipeline in (RECORDING,)}
