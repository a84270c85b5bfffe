"""Settings of language models. A service derives its own classes, which set the `env_prefix`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from maie_llm.model import Generation
from maie_runtime.settings import Settings

Sha256 = Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]


class GenerationSettings(Settings):
    """How a model draws its words where a request does not say.

    What is unset is what the checkpoint's `generation_config.json` says, or else neutral, with
    the seed 0.
    """

    temperature: float | None = Field(default=None, ge=0, le=2)
    """0 takes the likeliest word each time; 1 draws as the model weighs them."""
    top_p: float | None = Field(default=None, gt=0, le=1)
    """The share of the probability that is drawn from."""
    top_k: int | None = Field(default=None, ge=0, le=100_000)
    """How many words are drawn from; 0 for all."""
    min_p: float | None = Field(default=None, ge=0, le=1)
    """The least probability that is drawn from, relative to the likeliest word's."""
    repetition_penalty: float | None = Field(default=None, gt=0, le=2)
    """Above 1, words that were there become less likely."""
    presence_penalty: float | None = Field(default=None, ge=-2, le=2)
    """The same by subtraction."""
    frequency_penalty: float | None = Field(default=None, ge=-2, le=2)
    """The same for each time a word was there."""
    seed: int | None = Field(default=None, ge=0, le=2**31 - 1)
    """The same seed draws the same words again."""
    max_tokens: int | None = Field(default=None, ge=1, le=1_000_000)
    """The longest answer; what the prompt leaves of the model's window where nobody says."""

    def generation(self) -> Generation:
        """The layer of the environment."""
        return Generation(**self.model_dump())


class VllmSettings(Settings):
    """vLLM inside the service."""

    # pydantic reserves the prefix model_ unless told otherwise.
    model_config = SettingsConfigDict(protected_namespaces=())

    model_path: Path | None = None
    """The directory of a model in Hugging Face's format, with safetensors weights. It is never
    downloaded."""
    variant: str = ""
    """The model's name, such as `qwen3-8b`; taken from the directory's name where empty."""
    sha256: Sha256 = ""
    """What the model's files must hash to. Empty where the manifest beside them says so."""
    chat_template: Path | None = None
    """A Jinja chat template to use in place of the model's own."""
    thinking: bool = False
    """Whether the model thinks before it answers, where its chat template lets one choose by
    `enable_thinking`. Thoughts are never part of an answer, but of its length."""
    reasoning_parser: str = ""
    """How thoughts are told from the answer, by vLLM's name for it, such as `qwen3`. Needed where
    the model thinks, chosen or not."""
    quantization: str = ""
    """How the weights are quantised, by vLLM's name for it; what the checkpoint says where
    empty."""
    dtype: Literal["auto", "float32", "float16", "bfloat16"] = "auto"
    """The arithmetic; `auto` is the checkpoint's own."""
    max_model_len: int | None = Field(default=None, ge=32)
    """The most tokens that prompt and answer may have together; the model's own limit where
    unset. A shorter window takes less memory."""
    max_num_seqs: int = Field(default=64, ge=1, le=4096)
    """How many prompts are answered at once; more wait."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where the model must run; `auto` is what the installed vLLM was made for."""
    gpu_memory_utilization: float = Field(default=0.9, gt=0, le=1)
    """The share of a GPU's memory that weights and cache take."""
    tensor_parallel_size: int = Field(default=1, ge=1)
    """How many GPUs share the model's layers."""
    device_index: tuple[int, ...] = ()
    """The GPUs that may be used, as a JSON list; all where empty."""
    enforce_eager: bool = False
    """Leaves out CUDA graphs: slower, but a faster start and less memory. Always so on a CPU."""
    sleep_mode: bool = False
    """Whether a GPU's memory is given back by moving the weights into main memory, and not by
    unloading the model: more main memory for a faster return."""
    cpu_threads: int = Field(default=0, ge=0)
    """Threads on a CPU; 0 for all cores."""
    cpu_cache_gib: int = Field(default=4, ge=1)
    """Memory for the cache of keys and values on a CPU, in GiB."""

    @model_validator(mode="after")
    def _thoughts_need_a_parser(self) -> Self:
        if self.thinking and not self.reasoning_parser:
            raise ValueError("thinking needs reasoning_parser: thoughts are no part of an answer")
        return self
