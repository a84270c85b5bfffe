"""Settings of the diarization service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from maie_core.settings import GpuServiceSettings, Settings
from maie_runtime.worker.cores import usable_cores
from maie_runtime.worker.engines import find_engine

ENGINES = "maie.diarization.engines"
# More windows at a time wait for memory more than they compute.
MAX_AUTO_WORKERS = 8


class LiveSettings(Settings):
    """Speakers while they speak; `MAIE_DIARIZATION_LIVE_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MAIE_DIARIZATION_LIVE_")

    tracks: int = Field(default=8, ge=0, le=1000)
    """The most live tracks with several speakers at a time; fewer where another one could not be
    served in time. 0 takes recordings alone. Also off without a port (`MAIE_DIARIZATION_RPC=off`)
    and while the model shares its GPU with other services."""
    workers: int = Field(default=0, ge=0, le=64)
    """How many windows of live tracks are heard at a time. 0: one for each core that the process
    may use, up to 8."""
    stall_seconds: float = Field(default=30.0, gt=0)
    """A service ends with status 70, for a restart, where a window of five seconds takes longer
    than this; other replicas take its tracks. At least 30 times what the first window took."""

    @property
    def worker_count(self) -> int:
        """How many windows are heard at a time."""
        return self.workers or min(usable_cores(), MAX_AUTO_WORKERS)


Sha256 = Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]


class TorchSettings(Settings):
    """What the engines of torch have in common."""

    model_path: Path | None = None
    """The model's directory. It is never downloaded."""
    variant: str = ""
    """The model's name; empty: the directory's name."""
    sha256: Sha256 = ""
    """The expected SHA-256 of the model's files. Leave empty if the manifest beside them has it."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where the model runs."""
    device_index: int = Field(default=0, ge=0)
    """The GPU that holds the model."""


class PyannoteSettings(TorchSettings):
    """The engine `pyannote`; `MAIE_DIARIZATION_PYANNOTE_` in the environment."""

    # pydantic reserves the prefix model_ by default.
    model_config = SettingsConfigDict(
        env_prefix="MAIE_DIARIZATION_PYANNOTE_", protected_namespaces=()
    )

    exclusive: bool = True
    """Whether one speaker at a time speaks, the one who most probably does, which suits words.
    Otherwise the result also says where two speak at once."""
    same_speaker: float = Field(default=0.6, gt=0, lt=1)
    """Speakers of two chunks are one from this cosine of their embeddings on. It was never
    measured: raise it where two people are taken for one."""


class SortformerSettings(TorchSettings):
    """The engine `sortformer`; `MAIE_DIARIZATION_SORTFORMER_` in the environment."""

    # pydantic reserves the prefix model_ by default.
    model_config = SettingsConfigDict(
        env_prefix="MAIE_DIARIZATION_SORTFORMER_", protected_namespaces=()
    )

    speaks: float = Field(default=0.5, gt=0, lt=1)
    """A speaker speaks from this probability on. It was never measured: raise it where pauses and
    noise have speakers, and lower it where words have none."""
    same_speaker: float = Field(default=0.47, gt=0, lt=1)
    """Speakers of two chunks are one from this cosine of their embeddings on. It is that of the
    engine `embedded`, which has the same embeddings."""


class DiarizationSettings(GpuServiceSettings):
    """The diarization service; `MAIE_DIARIZATION_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MAIE_DIARIZATION_")

    listen: str = "127.0.0.1:50056"
    """The address that gRPC listens on; port 0 takes a free one."""
    engine: str = "embedded"
    """The engine, by its name among the entry points `maie.diarization.engines`."""
    threads: int = Field(default=1, ge=1, le=64)
    """The threads of an engine on a CPU for each chunk."""
    pyannote: PyannoteSettings = Field(default_factory=PyannoteSettings)
    """The engine `pyannote`."""
    sortformer: SortformerSettings = Field(default_factory=SortformerSettings)
    """The engine `sortformer`."""
    live: LiveSettings = Field(default_factory=LiveSettings)
    """Speakers while they speak."""

    @property
    def live_tracks(self) -> int:
        """The most live tracks at a time. A model that shares its GPU is not there at all times."""
        return 0 if self.rpc == "off" or self.shared_gpu else self.live.tracks

    def check(self) -> None:
        """Refuses an engine that is not installed."""
        find_engine(ENGINES, self.engine)
