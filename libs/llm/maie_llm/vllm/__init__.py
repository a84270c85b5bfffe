"""vLLM inside the service: the model runs in a child process.

vLLM and torch are not part of the service's environment (docs/models.md describes how to install
them), take many seconds to import, and are imported by `open_vllm` only.
"""

from maie_llm.vllm.open import open_vllm

__all__ = ["open_vllm"]
