"""The merge step: gives each word of a transcript its speaker."""

from maie_diarization.merge.transcript import with_speakers

__all__ = ["with_speakers"]
