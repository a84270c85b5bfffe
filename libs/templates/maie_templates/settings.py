"""Where templates are looked for."""

from __future__ import annotations

from pathlib import Path

from pydantic_settings import SettingsConfigDict

from maie_runtime.settings import Settings


class TemplateSettings(Settings):
    """What the template library can be told; `MAIE_TEMPLATES_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MAIE_TEMPLATES_")

    directory: Path | None = None
    """A folder of templates beside those that ship: `ID/schema.json` and `ID/prompt.jinja`, and if
    wanted `ID/examples.json`."""
