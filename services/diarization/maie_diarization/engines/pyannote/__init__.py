"""pyannote.audio's pipeline; its packages are installed apart (see docs/speakers.md)."""

from maie_diarization.engines.pyannote.engine import create

__all__ = ["create"]
