"""Settings of language models. A service derives its own classes, which set the `env_prefix`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from maie_core.settings import Settings
from maie_llm.model import Generation

Sha256 = Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]


class GenerationSettings(Settings):
    """Default sampling parameters, which requests may override.

    An unset value comes from the checkpoint's `generation_config.json` or is neutral; the default
    seed is 0.
    """

    temperature: float | None = Field(default=None, ge=0, le=2)
    """0 is greedy decoding; 1 samples by the model's probabilities."""
    top_p: float | None = Field(default=None, gt=0, le=1)
    """The share of the probability mass to sample from."""
    top_k: int | None = Field(default=None, ge=0, le=100_000)
    """The number of tokens to sample from; 0 for all."""
    min_p: float | None = Field(default=None, ge=0, le=1)
    """The least probability to sample from, relative to the most likely token's."""
    repetition_penalty: float | None = Field(default=None, gt=0, le=2)
    """Above 1, earlier tokens become less likely."""
    presence_penalty: float | None = Field(default=None, ge=-2, le=2)
    """Subtracted for earlier tokens."""
    frequency_penalty: float | None = Field(default=None, ge=-2, le=2)
    """Subtracted for each earlier occurrence of a token."""
    seed: int | None = Field(default=None, ge=0, le=2**31 - 1)
    """The random seed."""
    max_tokens: int | None = Field(default=None, ge=1, le=1_000_000)
    """The longest answer in tokens; by default, what the prompt leaves of the model's window."""

    def generation(self) -> Generation:
        """The environment's layer."""
        return Generation(**self.model_dump())


class VllmSettings(Settings):
    """vLLM inside the service."""

    # pydantic reserves the prefix model_ by default.
    model_config = SettingsConfigDict(protected_namespaces=())

    model_path: Path | None = None
    """The directory of a model in Hugging Face's format, with safetensors weights. It is never
    downloaded."""
    variant: str = ""
    """The model's name, such as `qwen3-8b`; empty: the directory's name."""
    sha256: Sha256 = ""
    """The expected SHA-256 of the model's files. Leave empty if the manifest beside them has it."""
    chat_template: Path | None = None
    """A Jinja chat template that replaces the model's own."""
    thinking: bool = False
    """Whether the model reasons before it answers, if its chat template has `enable_thinking`. An
    answer never contains the reasoning, but its length does."""
    reasoning_parser: str = ""
    """vLLM's name of the parser that separates reasoning from the answer, such as `qwen3`. Needed
    for every model that reasons."""
    quantization: str = ""
    """vLLM's name of the weights' quantisation; empty: as the checkpoint
    states."""
    dtype: Literal["auto", "float32", "float16", "bfloat16"] = "auto"
    """The arithmetic; `auto` is the checkpoint's own."""
    max_model_len: int | None = Field(default=None, ge=32)
    """The context window: the most tokens of prompt and answer together; unset: the model's own
    limit. A shorter window needs less memory."""
    max_num_seqs: int = Field(default=64, ge=1, le=4096)
    """The most prompts that are answered concurrently; more wait."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where the model must run; `auto` is the device of the installed vLLM."""
    gpu_memory_utilization: float = Field(default=0.9, gt=0, le=1)
    """The share of a GPU's memory for weights and cache."""
    tensor_parallel_size: int = Field(default=1, ge=1)
    """The number of GPUs that share each layer of the model."""
    device_index: tuple[int, ...] = ()
    """The GPUs that may be used, as a JSON list; empty: all."""
    enforce_eager: bool = False
    """Disables CUDA graphs: slower, but a faster start and less memory. Always set on a CPU."""
    sleep_mode: bool = False
    """Whether unloading moves the weights into main memory: more main memory for faster
    loading."""
    cpu_threads: int = Field(default=0, ge=0)
    """Threads on a CPU; 0 for all cores."""
    cpu_cache_gib: int = Field(default=4, ge=1)
    """Memory for the KV cache on a CPU, in GiB."""

    @model_validator(mode="after")
    def _thoughts_need_a_parser(self) -> Self:
        if self.thinking and not self.reasoning_parser:
            raise ValueError(
                "thinking needs reasoning_parser: an answer must not contain reasoning"
            )
        return self
