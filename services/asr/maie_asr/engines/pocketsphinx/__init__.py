"""CMU PocketSphinx: a small English recogniser that needs no GPU and no download."""

from maie_asr.engines.pocketsphinx.engine import create

__all__ = ["create"]
