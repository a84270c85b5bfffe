"""Tiny models of random weights in the formats of sherpa-onnx: the real code, and no meaning."""
