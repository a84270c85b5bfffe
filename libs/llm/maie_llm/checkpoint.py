"""Finds, verifies and reads model directories in Hugging Face's format; never downloads."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from maie_core.models import (
    MANIFEST,
    model_corrupt,
    model_missing,
    refuse_pickles,
    verified_sha256,
)
from maie_llm.model import Generation
from maie_llm.settings import VllmSettings

REQUIRED_FILES = ("config.json", "tokenizer_config.json")
# The files that a loader may read: weights, and text about how to use them.
READ = (".safetensors", ".json", ".jinja", ".model", ".tiktoken", ".txt")
HOW_TO_GET = (
    "fetch one with `maie models pull OWNER/REPOSITORY@COMMIT` and name its directory in "
    "{prefix}MODEL_PATH"
)


@dataclass(kw_only=True, frozen=True, slots=True)
class Checkpoint:
    """A verified model on disk.

    Attributes:
        path: Its directory.
        name: Its name, such as "qwen3-8b".
        sha256: The hash over all its files.
        generation: The sampling parameters in `generation_config.json`.
        quantization: The quantisation of its weights; empty for none.
        dtype: The data type that it was saved in; empty if not stated.
        chat_template: The Jinja text that turns a chat into a prompt.
    """

    path: Path
    name: str
    sha256: str
    generation: Generation
    quantization: str
    dtype: str
    chat_template: str

    @property
    def chat_template_sha256(self) -> str:
        """The hash of the chat template's text."""
        return hashlib.sha256(self.chat_template.encode()).hexdigest()


class _GenerationConfig(BaseModel):
    """The sampling parameters in `generation_config.json`; other entries are ignored."""

    model_config = ConfigDict(frozen=True)

    do_sample: bool | None = None
    temperature: float | None = Field(default=None, ge=0)
    top_p: float | None = Field(default=None, gt=0, le=1)
    # -1 means all as well.
    top_k: int | None = Field(default=None, ge=-1)
    min_p: float | None = Field(default=None, ge=0, le=1)
    repetition_penalty: float | None = Field(default=None, gt=0)
    max_new_tokens: int | None = Field(default=None, ge=1)


def open_checkpoint(settings: VllmSettings) -> Checkpoint:
    """Finds a model, hashes all its files and reads its metadata.

    Blocks while it reads gigabytes.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_MISSING, MODEL_UNSAFE if
            its weights are pickles, or MODEL_CORRUPT, naming the file and both
            hashes.
    """
    path = _find(settings)
    refuse_pickles(path)
    names = [file.name for file in model_files(path)]
    _require(path, names)
    sha256 = verified_sha256(path, names, settings.sha256)
    config = _read(path / "config.json")
    return Checkpoint(
        path=path,
        name=settings.variant or path.resolve().name,
        sha256=sha256,
        generation=checkpoint_generation(path),
        quantization=(config.get("quantization_config") or {}).get("quant_method", ""),
        dtype=config.get("dtype") or config.get("torch_dtype") or "",
        chat_template=_chat_template(path, settings),
    )


def model_files(path: Path) -> list[Path]:
    """All files of a model that a loader may read."""
    return sorted(
        file
        for file in path.iterdir()
        if file.is_file() and file.suffix in READ and file.name != MANIFEST
    )


def checkpoint_generation(path: Path) -> Generation:
    """The parameters in a model's `generation_config.json`; none without the file.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_CORRUPT if a value is invalid.
    """
    file = path / "generation_config.json"
    if not file.is_file():
        return Generation()
    try:
        config = _GenerationConfig.model_validate(_read(file))
    except ValidationError as error:
        problem = error.errors()[0]
        raise model_corrupt(
            f"{file} cannot be used: {problem['loc'][0]}: {problem['msg']}; fetch the model again."
        ) from error
    return Generation(
        # Without sampling it is greedy decoding, whatever the other values are.
        temperature=0.0 if config.do_sample is False else config.temperature,
        top_p=config.top_p,
        top_k=0 if config.top_k == -1 else config.top_k,
        min_p=config.min_p,
        repetition_penalty=config.repetition_penalty,
        max_tokens=config.max_new_tokens,
    )


def _find(settings: VllmSettings) -> Path:
    how = HOW_TO_GET.format(prefix=settings.model_config.get("env_prefix", ""))
    path = settings.model_path
    if path is None:
        raise model_missing(f"The engine vllm has no model; {how}.")
    if not path.is_dir():
        raise model_missing(f"There is no language model at {path}; {how}.")
    return path


def _require(path: Path, names: list[str]) -> None:
    missing = [name for name in REQUIRED_FILES if name not in names]
    if not any(name.endswith(".safetensors") for name in names):
        missing.append("weights in safetensors format")
    if missing:
        raise model_missing(
            f"The language model in {path} lacks {', '.join(missing)}; fetch it again."
        )


def _chat_template(path: Path, settings: VllmSettings) -> str:
    """The text of the template: the operator's, or the model's in one of its two places."""
    prefix = settings.model_config.get("env_prefix", "")
    file = settings.chat_template
    if file is not None:
        if not file.is_file():
            raise model_missing(
                f"There is no chat template at {file}; correct {prefix}CHAT_TEMPLATE."
            )
        return file.read_text(encoding="utf-8")
    if (path / "chat_template.jinja").is_file():
        return (path / "chat_template.jinja").read_text(encoding="utf-8")
    template = _read(path / "tokenizer_config.json").get("chat_template")
    if not isinstance(template, str):
        raise model_missing(
            f"The language model in {path} has no chat template, so it is not a chat model; "
            f"use another, or name a template in {prefix}CHAT_TEMPLATE."
        )
    return template


def _read(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_bytes())
    except ValueError as error:
        raise model_corrupt(f"{file} is not JSON: {error}; fetch the model again.") from error
    if not isinstance(content, dict):
        raise model_corrupt(f"{file} does not hold an object; fetch the model again.")
    return content
