"""The models of the diarization engine `embedded`, converted from published checkpoints to ONNX."""
