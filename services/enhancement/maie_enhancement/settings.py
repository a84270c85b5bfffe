"""Settings of the enhancement service."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from maie_core.settings import GpuServiceSettings
from maie_llm.openai import OpenAISettings
from maie_llm.settings import GenerationSettings, VllmSettings
from maie_runtime.worker.engines import find_engine

ENGINES = "maie.enhancement.engines"


class EnhancementVllmSettings(VllmSettings):
    """The engine `vllm`; `MAIE_ENHANCEMENT_VLLM_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MAIE_ENHANCEMENT_VLLM_")


class EnhancementOpenAISettings(OpenAISettings):
    """The engine `openai`; `MAIE_ENHANCEMENT_OPENAI_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MAIE_ENHANCEMENT_OPENAI_")


class EnhancementGenerationSettings(GenerationSettings):
    """How language models sample; `MAIE_ENHANCEMENT_GENERATION_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MAIE_ENHANCEMENT_GENERATION_")


class EnhancementSettings(GpuServiceSettings):
    """The enhancement service; `MAIE_ENHANCEMENT_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MAIE_ENHANCEMENT_")

    listen: str = "127.0.0.1:50054"
    """The address that gRPC listens on; port 0 takes a free one."""
    engine: str = "rules"
    """The engine, by its name among the entry points `maie.enhancement.engines`."""
    rules_model: Path | None = None
    """The language model of the engine `rules`; unset: the one in pocketsphinx's package."""
    max_word_change: float = Field(default=0.0, ge=0, le=1)
    """The share of a segment's words that a language model may change. If it changes more, the
    segment keeps its raw text, and the result marks it."""
    prompt_chunk_tokens: int = Field(default=1000, ge=1)
    """The most text in one prompt, in tokens; less if the model's window is smaller."""
    calls_at_once: int = Field(default=8, ge=1, le=256)
    """The most concurrent calls of a language model for one transcript."""
    vllm: EnhancementVllmSettings = Field(default_factory=EnhancementVllmSettings)
    """The engine `vllm`."""
    openai: EnhancementOpenAISettings = Field(default_factory=EnhancementOpenAISettings)
    """The engine `openai`."""
    generation: EnhancementGenerationSettings = Field(default_factory=EnhancementGenerationSettings)
    """How language models sample."""

    def check(self) -> None:
        """Refuses an engine that is not installed."""
        find_engine(ENGINES, self.engine)
