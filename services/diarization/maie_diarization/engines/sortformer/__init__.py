"""NVIDIA's Sortformer by NeMo; its packages are installed apart (see docs/speakers.md)."""

from maie_diarization.engines.sortformer.engine import create

__all__ = ["create"]
