"""What the engine vllm is made of, as far as it needs no vLLM."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import pytest
from pydantic import ValidationError

from maie_core.errors import Code, StageError
from maie_llm import Generation
from maie_llm.checkpoint import Checkpoint
from maie_llm.settings import GenerationSettings, VllmSettings
from maie_llm.vllm import open_vllm
from maie_llm.vllm.arguments import engine_arguments, sampling_arguments
from maie_llm.vllm.environment import CAUSE_VARIABLE, prepare_environment
from maie_llm.vllm.errors import engine_died, start_failed
from maie_llm.vllm.plugin import ENGINE_LOGGER, _CauseHandler
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
CHECKPOINT = Checkpoint(
    path=Path("/models/tiny"),
    name="tiny",
    sha256="0" * 64,
    generation=Generation(),
    quantization="",
    dtype="float32",
    chat_template="",
)
PARENT = """
import multiprocessing, sys, time
from maie_llm.vllm.plugin import register

def child():
    register()
    print("ready", flush=True)
    time.sleep(60)

if __name__ == "__main__":
    register()
    multiprocessing.get_context("spawn").Process(target=child).start()
    time.sleep(60)
"""


def arguments(*, on_cpu: bool, **settings: Any) -> dict[str, Any]:
    return engine_arguments(CHECKPOINT, VllmSettings(**settings), on_cpu=on_cpu)


@pytest.mark.parametrize("on_cpu", [False, True])
def test_that_nothing_but_verified_safetensors_is_loaded(on_cpu: bool) -> None:
    chosen = arguments(on_cpu=on_cpu)
    assert chosen["model"] == "/models/tiny"
    assert chosen["load_format"] == "safetensors"
    assert chosen["trust_remote_code"] is False


def test_that_answers_in_json_have_no_white_space() -> None:
    structured = arguments(on_cpu=False, reasoning_parser="qwen3")["structured_outputs_config"]
    assert structured == {
        "backend": "guidance",
        "disable_any_whitespace": True,
        "reasoning_parser": "qwen3",
    }


def test_that_a_gpu_gets_its_settings() -> None:
    chosen = arguments(
        on_cpu=False,
        gpu_memory_utilization=0.5,
        tensor_parallel_size=2,
        quantization="awq",
        sleep_mode=True,
        max_model_len=8192,
    )
    assert chosen["gpu_memory_utilization"] == 0.5
    assert chosen["tensor_parallel_size"] == 2
    assert chosen["quantization"] == "awq"
    assert chosen["enable_sleep_mode"] is True
    assert chosen["max_model_len"] == 8192
    assert chosen["enforce_eager"] is False


def test_that_a_cpu_is_asked_for_nothing_that_it_cannot_do() -> None:
    chosen = arguments(on_cpu=True, sleep_mode=True)
    assert "gpu_memory_utilization" not in chosen
    assert "enable_sleep_mode" not in chosen
    assert chosen["enforce_eager"] is True
    assert chosen["distributed_executor_backend"] == "uni"


def test_that_all_that_is_resolved_reaches_the_sampler() -> None:
    generation = Generation(
        temperature=0.1,
        top_p=0.2,
        top_k=3,
        min_p=0.4,
        repetition_penalty=1.5,
        presence_penalty=0.6,
        frequency_penalty=0.7,
        seed=8,
        max_tokens=900,
    )
    sampling = sampling_arguments(generation, max_tokens=9, keep_special_tokens=True)
    assert sampling == {
        "temperature": 0.1,
        "top_p": 0.2,
        "top_k": 3,
        "min_p": 0.4,
        "repetition_penalty": 1.5,
        "presence_penalty": 0.6,
        "frequency_penalty": 0.7,
        "seed": 8,
        "max_tokens": 9,
        "skip_special_tokens": False,
    }


def test_that_the_environment_is_set_but_for_what_an_operator_has_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "environ", {"VLLM_CPU_KVCACHE_SPACE": "7"})
    settings = VllmSettings(cpu_cache_gib=2, cpu_threads=3, device_index=(1, 2))
    prepare_environment(settings, Path("/tmp/cause"))
    assert os.environ["VLLM_CPU_KVCACHE_SPACE"] == "7"
    assert os.environ["OMP_NUM_THREADS"] == "3"
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "1,2"
    assert os.environ["HF_HUB_OFFLINE"] == os.environ["VLLM_NO_USAGE_STATS"] == "1"
    assert os.environ["VLLM_WORKER_MULTIPROC_METHOD"] == "spawn"
    assert os.environ[CAUSE_VARIABLE] == "/tmp/cause"


@pytest.mark.parametrize(
    "cause",
    [
        "CUDA out of memory. Tried to allocate 20.00 MiB.",
        "[enforce fail at alloc_cpu.cpp:119] DefaultCPUAllocator: can't allocate memory",
        "No available memory for the cache blocks.",
        "std::bad_alloc",
        "Available memory on node 0 (12/15 GiB) is less than requested memory for kv (99.0 GiB).",
    ],
)
def test_that_want_of_memory_is_told_from_other_ends(cause: str) -> None:
    for error in (engine_died(cause), start_failed(Path("/models/tiny"), cause)):
        assert (error.code, error.reason) == (Code.RESOURCE_EXHAUSTED, "OUT_OF_MEMORY")
        assert not error.retryable


def test_that_any_other_death_may_pass() -> None:
    error = engine_died("")
    assert (error.code, error.reason) == (Code.UNAVAILABLE, "MODEL_UNAVAILABLE")
    assert error.retryable
    assert error.retry_after is not None


def test_that_a_model_that_cannot_be_loaded_says_why() -> None:
    error = start_failed(Path("/models/tiny"), "no such architecture")
    assert error.code is Code.FAILED_PRECONDITION
    assert "/models/tiny" in error.message
    assert "no such architecture" in error.message


def test_that_thinking_needs_a_parser() -> None:
    with pytest.raises(ValidationError, match="reasoning_parser"):
        VllmSettings(thinking=True)
    assert VllmSettings(thinking=True, reasoning_parser="qwen3").thinking


@pytest.mark.skipif(find_spec("vllm") is not None, reason="vLLM is installed here")
async def test_that_a_worker_without_vllm_says_how_to_install_it() -> None:
    with pytest.raises(StageError) as refused:
        async with open_vllm(VllmSettings(), GenerationSettings()):
            raise AssertionError("there is no vLLM to open")
    assert refused.value.reason == "ENGINE_NOT_INSTALLED"
    assert "docs/models.md" in refused.value.message


def test_that_a_process_leaves_word_of_its_end(tmp_path: Path) -> None:
    logger = logging.getLogger(ENGINE_LOGGER)
    handler = _CauseHandler(tmp_path / "cause")
    logger.addHandler(handler)
    try:
        logger.error("nothing happened")
        assert not (tmp_path / "cause").exists()
        try:
            raise MemoryError("CUDA out of memory.\nand much more")
        except MemoryError:
            logger.exception("EngineCore encountered a fatal error.")
    finally:
        logger.removeHandler(handler)
    assert (tmp_path / "cause").read_text() == "CUDA out of memory"


async def test_that_a_models_process_ends_with_a_service_that_was_killed(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    parent = await asyncio.create_subprocess_exec(
        sys.executable, str(script), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await parent.stdout.readline() == b"ready\n"
        children = psutil.Process(parent.pid).children()
    finally:
        parent.kill()
        await parent.wait()
    _, alive = await asyncio.to_thread(psutil.wait_procs, children, 5)
    assert not alive
