"""Settings of the summary service."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from maie_core.settings import GpuServiceSettings
from maie_llm.openai import OpenAISettings
from maie_llm.settings import GenerationSettings, VllmSettings
from maie_runtime.worker.engines import find_engine
from maie_templates import TemplateSettings

ENGINES = "maie.summary.engines"


class SummaryVllmSettings(VllmSettings):
    """The engine `vllm`; `MAIE_SUMMARY_VLLM_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MAIE_SUMMARY_VLLM_")


class SummaryOpenAISettings(OpenAISettings):
    """The engine `openai`; `MAIE_SUMMARY_OPENAI_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MAIE_SUMMARY_OPENAI_")


class SummaryGenerationSettings(GenerationSettings):
    """How language models sample; `MAIE_SUMMARY_GENERATION_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MAIE_SUMMARY_GENERATION_")


class SummarySettings(GpuServiceSettings):
    """The summary service; `MAIE_SUMMARY_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MAIE_SUMMARY_")

    listen: str = "127.0.0.1:50055"
    """The address that gRPC listens on; port 0 takes a free one."""
    engine: str = "extractive"
    """The engine, by its name among the entry points `maie.summary.engines`."""
    templates: TemplateSettings = Field(default_factory=TemplateSettings)
    """The folders of templates; `MAIE_TEMPLATES_` in the environment."""
    answer_tokens: int = Field(default=2048, ge=64)
    """The tokens of a language model's window that are reserved for its answer, at most a third of
    what the template leaves. A longer answer may use all that its prompt leaves."""
    calls_at_once: int = Field(default=8, ge=1, le=256)
    """The most concurrent calls of a language model for one summary."""
    vllm: SummaryVllmSettings = Field(default_factory=SummaryVllmSettings)
    """The engine `vllm`."""
    openai: SummaryOpenAISettings = Field(default_factory=SummaryOpenAISettings)
    """The engine `openai`."""
    generation: SummaryGenerationSettings = Field(default_factory=SummaryGenerationSettings)
    """How language models sample."""

    def check(self) -> None:
        """Refuses an engine that is not installed."""
        find_engine(ENGINES, self.engine)
