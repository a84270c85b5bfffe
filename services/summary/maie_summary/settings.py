"""Settings of the summary service."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from maie_runtime.settings import ServiceSettings
from maie_templates import TemplateSettings


class SummarySettings(ServiceSettings):
    """What the summary service can be told; `MAIE_SUMMARY_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MAIE_SUMMARY_")

    listen: str = "127.0.0.1:50055"
    """The address that gRPC listens on; port 0 takes a free one."""
    engine: str = "extractive"
    """The engine, by its name among the entry points `maie.summary.engines`."""
    templates: TemplateSettings = Field(default_factory=TemplateSettings)
    """Where templates are looked for; `MAIE_TEMPLATES_` in the environment."""
