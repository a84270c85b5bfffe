"""Settings of the alignment service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from maie_core.settings import GpuServiceSettings, Settings
from maie_runtime.worker.engines import find_engine

ENGINES = "maie.alignment.engines"

Sha256 = Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]


class EmbeddedSettings(Settings):
    """The engine `embedded`; `MAIE_ALIGNMENT_EMBEDDED_` in the environment."""

    # pydantic reserves the prefix model_ by default.
    model_config = SettingsConfigDict(
        env_prefix="MAIE_ALIGNMENT_EMBEDDED_", protected_namespaces=()
    )

    model_path: Path | None = None
    """A directory with another English model of pocketsphinx. It must have the same files as the
    one inside the package."""
    sha256: Sha256 = ""
    """The expected SHA-256 of the model's files. Needed with `model_path`, unless a manifest is
    beside the files."""


class AlignmentSettings(GpuServiceSettings):
    """The alignment service; `MAIE_ALIGNMENT_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MAIE_ALIGNMENT_")

    listen: str = "127.0.0.1:50058"
    """The address that gRPC listens on; port 0 takes a free one."""
    engine: str = "embedded"
    """The engine, by its name among the entry points `maie.alignment.engines`."""
    embedded: EmbeddedSettings = Field(default_factory=EmbeddedSettings)
    """The engine `embedded`."""

    def check(self) -> None:
        """Refuses an engine that is not installed."""
        find_engine(ENGINES, self.engine)
