"""Settings of the summary service."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from maie_llm.openai import OpenAISettings
from maie_llm.settings import GenerationSettings, VllmSettings
from maie_runtime.engines import find_engine
from maie_runtime.settings import GpuServiceSettings
from maie_templates import TemplateSettings

ENGINES = "maie.summary.engines"


class SummaryVllmSettings(VllmSettings):
    """The engine `vllm`; `MAIE_SUMMARY_VLLM_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MAIE_SUMMARY_VLLM_")


class SummaryOpenAISettings(OpenAISettings):
    """The engine `openai`; `MAIE_SUMMARY_OPENAI_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MAIE_SUMMARY_OPENAI_")


class SummaryGenerationSettings(GenerationSettings):
    """How language models draw words; `MAIE_SUMMARY_GENERATION_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MAIE_SUMMARY_GENERATION_")


class SummarySettings(GpuServiceSettings):
    """What the summary service can be told; `MAIE_SUMMARY_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MAIE_SUMMARY_")

    listen: str = "127.0.0.1:50055"
    """The address that gRPC listens on; port 0 takes a free one."""
    engine: str = "extractive"
    """The engine, by its name among the entry points `maie.summary.engines`."""
    templates: TemplateSettings = Field(default_factory=TemplateSettings)
    """Where templates are looked for; `MAIE_TEMPLATES_` in the environment."""
    answer_tokens: int = Field(default=2048, ge=64)
    """How many tokens of a language model's window are kept free for its answer, up to a third of
    what the template leaves. An answer that needs more gets what its prompt leaves."""
    calls_at_once: int = Field(default=8, ge=1, le=256)
    """How many calls to a language model one summary may have under way."""
    vllm: SummaryVllmSettings = Field(default_factory=SummaryVllmSettings)
    """The engine `vllm`."""
    openai: SummaryOpenAISettings = Field(default_factory=SummaryOpenAISettings)
    """The engine `openai`."""
    generation: SummaryGenerationSettings = Field(default_factory=SummaryGenerationSettings)
    """How language models draw words."""

    def check(self) -> None:
        """Refuses an engine that is not installed."""
        find_engine(ENGINES, self.engine)
