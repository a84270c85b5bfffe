"""Settings of the diarization service."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from maie_core.settings import GpuServiceSettings
from maie_runtime.worker.engines import find_engine

ENGINES = "maie.diarization.engines"


class DiarizationSettings(GpuServiceSettings):
    """The diarization service; `MAIE_DIARIZATION_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MAIE_DIARIZATION_")

    listen: str = "127.0.0.1:50056"
    """The address that gRPC listens on; port 0 takes a free one."""
    engine: str = "embedded"
    """The engine, by its name among the entry points `maie.diarization.engines`."""
    threads: int = Field(default=1, ge=1, le=64)
    """The threads of the engine `embedded` for each chunk."""

    def check(self) -> None:
        """Refuses an engine that is not installed."""
        find_engine(ENGINES, self.engine)
