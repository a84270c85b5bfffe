"""Converts the settings to vLLM's arguments."""

from __future__ import annotations

from typing import Any

from maie_llm.checkpoint import Checkpoint
from maie_llm.model import Generation
from maie_llm.settings import VllmSettings

STRUCTURED_OUTPUT = {"backend": "guidance", "disable_any_whitespace": True}
# A good value for both the CPU kernels and the prefix cache.
CPU_BLOCK_SIZE = 32


def engine_arguments(
    checkpoint: Checkpoint, settings: VllmSettings, *, on_cpu: bool
) -> dict[str, Any]:
    """The arguments of `AsyncEngineArgs`.

    Args:
        checkpoint: The verified model.
        settings: The engine's settings.
        on_cpu: Whether vLLM runs on a CPU.
    """
    structured: dict[str, Any] = dict(STRUCTURED_OUTPUT)
    if settings.reasoning_parser:
        structured["reasoning_parser"] = settings.reasoning_parser
    arguments: dict[str, Any] = {
        "model": str(checkpoint.path),
        "load_format": "safetensors",
        "trust_remote_code": False,
        # Only for the stop tokens; each request has its own sampling parameters.
        "generation_config": "auto",
        "seed": 0,
        "dtype": settings.dtype,
        "quantization": settings.quantization or None,
        "max_model_len": settings.max_model_len,
        "max_num_seqs": settings.max_num_seqs,
        "tensor_parallel_size": settings.tensor_parallel_size,
        "structured_outputs_config": structured,
        "enable_prefix_caching": True,
        "enable_log_requests": False,
        "disable_log_stats": True,
        "enforce_eager": on_cpu or settings.enforce_eager,
    }
    if on_cpu:
        arguments["block_size"] = CPU_BLOCK_SIZE
        if settings.tensor_parallel_size == 1:
            arguments["distributed_executor_backend"] = "uni"
    else:
        arguments["gpu_memory_utilization"] = settings.gpu_memory_utilization
        arguments["enable_sleep_mode"] = settings.sleep_mode
    return arguments


def sampling_arguments(
    generation: Generation, *, max_tokens: int, keep_special_tokens: bool
) -> dict[str, Any]:
    """The arguments of `SamplingParams`.

    Args:
        generation: The resolved parameters.
        max_tokens: The longest answer.
        keep_special_tokens: Whether the text must contain the marks of reasoning.
    """
    return {
        "temperature": generation.temperature,
        "top_p": generation.top_p,
        "top_k": generation.top_k,
        "min_p": generation.min_p,
        "repetition_penalty": generation.repetition_penalty,
        "presence_penalty": generation.presence_penalty,
        "frequency_penalty": generation.frequency_penalty,
        "seed": generation.seed,
        "max_tokens": max_tokens,
        "skip_special_tokens": not keep_special_tokens,
    }
