"""Speakers by sherpa-onnx, with models of this package; an extra (see docs/speakers.md)."""

from maie_diarization.engines.sherpa.engine import create

__all__ = ["create"]
