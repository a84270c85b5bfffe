"""Settings of the synthesis service."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from maie_core.settings import GpuServiceSettings, Settings
from maie_runtime.worker.engines import find_engine

ENGINES = "maie.synthesis.engines"


class KokoroSettings(Settings):
    """The engine `kokoro`; `MAIE_SYNTHESIS_KOKORO_` in the environment."""

    # pydantic reserves the prefix model_ by default.
    model_config = SettingsConfigDict(env_prefix="MAIE_SYNTHESIS_KOKORO_", protected_namespaces=())

    model_path: Path | None = None
    """The model's directory; unset: that of `maie models pull kokoro-82m-int8`. It is never
    downloaded."""
    sha256: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")
    """The expected SHA-256 of the model's files. Leave empty if the manifest beside them has it."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where the model runs."""
    threads: int = Field(default=1, ge=1, le=64)
    """The threads of the model on a CPU for each text."""


class ChatterboxSettings(Settings):
    """The engine `chatterbox`; `MAIE_SYNTHESIS_CHATTERBOX_` in the environment."""

    # pydantic reserves the prefix model_ by default.
    model_config = SettingsConfigDict(
        env_prefix="MAIE_SYNTHESIS_CHATTERBOX_", protected_namespaces=()
    )

    voices_path: Path | None = None
    """A folder with a recording of each voice, NAME.wav or NAME.flac, of 5 to 30 s in which one
    person speaks. The engine needs one at least. Use voices of people who agreed to it only."""
    model_path: Path | None = None
    """The model's directory, as its authors publish it; unset: `chatterbox-turbo-ONNX` in the
    directory of all models. It is never downloaded."""
    sha256: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")
    """The expected SHA-256 of the model's files. Leave empty if the manifest beside them has it."""
    precision: Literal["fp32", "fp16", "q8", "q4", "q4f16"] = "fp32"
    """Which weights of the directory are used: smaller ones take less memory and sound worse."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where the model runs."""
    threads: int = Field(default=2, ge=1, le=64)
    """The threads of the model on a CPU for each text."""


class SynthesisSettings(GpuServiceSettings):
    """The synthesis service; `MAIE_SYNTHESIS_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MAIE_SYNTHESIS_")

    listen: str = "127.0.0.1:50059"
    """The address that gRPC listens on; port 0 takes a free one."""
    slots: int = Field(default=2, ge=1, le=64)
    """The number of texts that the service speaks concurrently."""
    engine: str = "flite"
    """The engine, by its name among the entry points `maie.synthesis.engines`."""
    sentence_seconds: float = Field(default=30.0, gt=0, le=3600)
    """The longest that an engine may take for a sentence, or for 280 characters of a longer one.
    Then the sentence is reported as not spoken, and the rest is spoken."""

    kokoro: KokoroSettings = Field(default_factory=KokoroSettings)
    """The engine `kokoro`."""
    chatterbox: ChatterboxSettings = Field(default_factory=ChatterboxSettings)
    """The engine `chatterbox`."""

    def check(self) -> None:
        """Refuses an engine that is not installed."""
        find_engine(ENGINES, self.engine)
