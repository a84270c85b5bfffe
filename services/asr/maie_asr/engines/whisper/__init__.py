"""Whisper by faster-whisper, from a local directory, on a GPU or a CPU."""

from maie_asr.engines.whisper.engine import create

__all__ = ["create"]
