"""A CTC model on an inference server of its own, such as NVIDIA Triton, as an aligner."""
