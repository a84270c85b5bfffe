"""What vLLM reads from the environment, set before it is imported; children inherit it.

What an operator has set himself stays as it is.
"""

from __future__ import annotations

import os
from pathlib import Path

from maie_llm.settings import VllmSettings

CAUSE_VARIABLE = "MAIE_VLLM_CAUSE"

_ALWAYS = {
    # Nothing is fetched, and nobody is told.
    "HF_HUB_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    # What a service says goes through its own log.
    "VLLM_LOGGING_LEVEL": "WARNING",
    # A fork of a process that serves gRPC would inherit its threads' locks.
    "VLLM_WORKER_MULTIPROC_METHOD": "spawn",
    "TOKENIZERS_PARALLELISM": "false",
}
_CPU = {
    # The model runs in the engine's process; one more for it would take 15 s to start.
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    # Threads that are bound to cores fight with other processes for them.
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
}


def prepare_environment(settings: VllmSettings, cause: Path) -> None:
    """Sets what vLLM is to find.

    Args:
        settings: The engine's settings.
        cause: Where the model's process leaves word of why it ended.
    """
    variables = {**_ALWAYS, **_CPU, "VLLM_CPU_KVCACHE_SPACE": str(settings.cpu_cache_gib)}
    if settings.cpu_threads:
        variables["OMP_NUM_THREADS"] = str(settings.cpu_threads)
    if settings.device_index:
        variables["CUDA_VISIBLE_DEVICES"] = ",".join(map(str, settings.device_index))
    for name, value in variables.items():
        os.environ.setdefault(name, value)
    os.environ[CAUSE_VARIABLE] = str(cause)
