"""Settings of the enhancement service."""

from __future__ import annotations

from pathlib import Path

from pydantic_settings import SettingsConfigDict

from maie_runtime.settings import ServiceSettings


class EnhancementSettings(ServiceSettings):
    """What the enhancement service can be told; `MAIE_ENHANCEMENT_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MAIE_ENHANCEMENT_")

    listen: str = "127.0.0.1:50054"
    """The address that gRPC listens on; port 0 takes a free one."""
    engine: str = "rules"
    """The engine, by its name among the entry points `maie.enhancement.engines`."""
    rules_model: Path | None = None
    """The language model of the engine `rules`; the one in pocketsphinx's package where unset."""
