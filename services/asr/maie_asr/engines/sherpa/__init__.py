"""Models of sherpa-onnx, for recordings and live speech; an extra (see docs/models.md)."""

from maie_asr.engines.sherpa.engine import create

__all__ = ["create"]
