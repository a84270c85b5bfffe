"""ChunkFormer, for long recordings; its packages are installed apart (see docs/models.md)."""

from maie_asr.engines.chunkformer.engine import create

__all__ = ["create"]
