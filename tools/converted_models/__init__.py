"""Models that ship with services, converted from published checkpoints to ONNX."""
