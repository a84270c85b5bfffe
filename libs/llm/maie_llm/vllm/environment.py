"""Sets environment variables for vLLM before its import; child processes inherit them.

Variables that an operator has set stay as they are.
"""

from __future__ import annotations

import os
from pathlib import Path

from maie_llm.settings import VllmSettings

CAUSE_VARIABLE = "MAIE_VLLM_CAUSE"

_ALWAYS = {
    # No downloads and no telemetry.
    "HF_HUB_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    # The service configures its own logging.
    "VLLM_LOGGING_LEVEL": "WARNING",
    # A forked process would inherit the locks of gRPC's threads.
    "VLLM_WORKER_MULTIPROC_METHOD": "spawn",
    "TOKENIZERS_PARALLELISM": "false",
}
_CPU = {
    # The model runs in the engine's process; another process would take 15 s to start.
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    # Threads bound to cores compete with other processes for them.
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
}


def prepare_environment(settings: VllmSettings, cause: Path) -> None:
    """Sets vLLM's environment variables.

    Args:
        settings: The engine's settings.
        cause: The file where the model's process records why it ended.
    """
    variables = {**_ALWAYS, **_CPU, "VLLM_CPU_KVCACHE_SPACE": str(settings.cpu_cache_gib)}
    if settings.cpu_threads:
        variables["OMP_NUM_THREADS"] = str(settings.cpu_threads)
    if settings.device_index:
        variables["CUDA_VISIBLE_DEVICES"] = ",".join(map(str, settings.device_index))
    for name, value in variables.items():
        os.environ.setdefault(name, value)
    os.environ[CAUSE_VARIABLE] = str(cause)
