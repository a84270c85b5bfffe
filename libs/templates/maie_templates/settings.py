"""Settings of the template library."""

from __future__ import annotations

from pathlib import Path

from pydantic_settings import SettingsConfigDict

from maie_core.settings import Settings


class TemplateSettings(Settings):
    """The template library; `MAIE_TEMPLATES_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MAIE_TEMPLATES_")

    directory: Path | None = None
    """A folder of additional templates: `ID/schema.json`, `ID/prompt.jinja` and optionally
    `ID/examples.json`."""
