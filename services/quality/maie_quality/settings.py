"""Settings of the quality service."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from maie_core.settings import GpuServiceSettings
from maie_runtime.gpu.devices import Device
from maie_runtime.worker.engines import find_engine

ENGINES = "maie.quality.engines"


class QualitySettings(GpuServiceSettings):
    """The quality service; `MAIE_QUALITY_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MAIE_QUALITY_")

    listen: str = "127.0.0.1:50057"
    """The address that gRPC listens on; port 0 takes a free one."""
    engine: str = "dnsmos"
    """The engine, by its name among the entry points `maie.quality.engines`: `dnsmos`,
    `distillmos`, or another that is installed. docs/quality.md compares the two."""
    device: Device = "auto"
    """Where the engine runs; `auto`: the first of the others that there is. Reports say which."""
    threads: int = Field(default=1, ge=1, le=64)
    """The threads of an engine on a CPU for each chunk."""
    nice: int = Field(default=10, ge=0, le=19)
    """How far the process gives way to others on its machine, as nice(1) has it: what the sound is
    like can wait for the text. 0 gives way to none."""
    step_seconds: float = Field(default=5.0, ge=0.1, le=60)
    """The seconds from one window that an engine rates to the next. Smaller steps take more time
    in proportion; 1 is that of Microsoft's own script."""

    def check(self) -> None:
        """Refuses an engine that is not installed."""
        find_engine(ENGINES, self.engine)
