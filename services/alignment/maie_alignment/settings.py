"""Settings of the alignment service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from maie_core.settings import GpuServiceSettings, Settings
from maie_runtime.gpu.devices import Device
from maie_runtime.rpc.kserve.settings import InferenceServerSettings
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


class Wav2Vec2Settings(Settings):
    """The engine `wav2vec2`; `MAIE_ALIGNMENT_WAV2VEC2_` in the environment."""

    # pydantic reserves the prefix model_ by default.
    model_config = SettingsConfigDict(
        env_prefix="MAIE_ALIGNMENT_WAV2VEC2_", protected_namespaces=()
    )

    model_path: Path | None = None
    """A directory with a CTC model, as transformers writes it, with `model.onnx` or
    `model.safetensors`; unset: that of `maie models pull hama-phones-1.3`. It is never
    downloaded."""
    sha256: Sha256 = ""
    """The expected SHA-256 of the model's files. Leave empty if the manifest beside them has it."""
    backend: Literal["onnx", "torch"] = "onnx"
    """What runs the model: onnxruntime, or transformers with torch, which are installed apart."""
    device: Device = "auto"
    """Where the model runs; `auto`: the first of the others that there is. The engine's version
    says which."""
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    """What the back end `torch` computes with, by autocast."""
    quantize_from_cores: int = Field(default=0, ge=0)
    """The back end `torch` computes with 8 bits on a CPU with this many cores or more; 0: never."""
    threads: int = Field(default=1, ge=1, le=64)
    """The threads of the model on a CPU for each call."""
    languages: tuple[str, ...] = ("en",)
    """The languages of a model of letters, as primary subtags. Those of sounds are for English."""


class TritonSettings(InferenceServerSettings):
    """The engine `triton`; `MAIE_ALIGNMENT_TRITON_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MAIE_ALIGNMENT_TRITON_")

    model_path: Path | None = None
    """A directory with what belongs to the model on the server: `vocab.json`, and `config.json` and
    `preprocessor_config.json` where transformers writes them; unset: that of
    `maie models pull hama-phones-1.3`."""
    sha256: Sha256 = ""
    """The expected SHA-256 of these files. Leave empty if the manifest beside them has it."""
    input: str = ""
    """The model's input with the audio, where it is the only one and has another name than in
    exports of transformers; needs `output`."""
    output: str = ""
    """The model's output, where it has another name than in such exports; needs `input`."""
    languages: tuple[str, ...] = ("en",)
    """The languages of a model of letters, as primary subtags. Those of sounds are for English."""

    @model_validator(mode="after")
    def _names_both(self) -> Self:
        if bool(self.input) != bool(self.output):
            raise ValueError("INPUT and OUTPUT belong together: set both or neither")
        return self


class AlignmentSettings(GpuServiceSettings):
    """The alignment service; `MAIE_ALIGNMENT_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MAIE_ALIGNMENT_")

    listen: str = "127.0.0.1:50058"
    """The address that gRPC listens on; port 0 takes a free one."""
    engine: str = "embedded"
    """The engine, by its name among the entry points `maie.alignment.engines`."""
    embedded: EmbeddedSettings = Field(default_factory=EmbeddedSettings)
    """The engine `embedded`."""
    wav2vec2: Wav2Vec2Settings = Field(default_factory=Wav2Vec2Settings)
    """The engine `wav2vec2`."""
    triton: TritonSettings = Field(default_factory=TritonSettings)
    """The engine `triton`."""

    def check(self) -> None:
        """Refuses an engine that is not installed."""
        find_engine(ENGINES, self.engine)
