"""Settings: one frozen class for each service, read once from the environment."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from maie_runtime.models import DEFAULT_MODELS_DIR

SettingsT = TypeVar("SettingsT", bound="Settings")
# How pydantic-settings names a field whose JSON it cannot read.
_FIELD = re.compile(r'for field "(\w+)"')
_REMEDY = "Change it, or leave it unset; docs/settings.md lists all settings."
# What fits into a subject of NATS: tokens between dots.
_GPU_NAME = r"[-/_=a-zA-Z0-9]+(\.[-/_=a-zA-Z0-9]+)*"


# How long a worker may be silent before its task goes to another.
ACK_WAIT_SECONDS = 15.0


class Settings(BaseSettings):
    """The base of all settings: frozen, read from the environment, told by docstrings."""

    model_config = SettingsConfigDict(frozen=True, use_attribute_docstrings=True)


def load_settings(kind: type[SettingsT]) -> SettingsT:
    """Reads a service's settings; exits with status 2 and a line for each that is wrong."""
    try:
        return kind()
    except (ValidationError, SettingsError) as error:
        for problem in settings_problems(error):
            print(f"error: {problem}", file=sys.stderr)
        sys.exit(2)


def settings_problems(error: ValueError) -> list[str]:
    """A sentence for each setting that is wrong: which variable, and what it must be.

    Another error's own text where it is not about settings. The values stay
    out of the sentences: some are secrets.
    """
    if isinstance(error, ValidationError):
        # A nested class reads its own variables and fails under its own name.
        prefix = _prefixes(Settings).get(error.title, "")
        return [_problem(prefix, problem) for problem in error.errors()]
    if not isinstance(error, SettingsError):
        return [" ".join(str(error).split())]
    found = _FIELD.search(str(error))
    field = found[1].upper() if found else ""
    names = {f"{prefix}{field}" for prefix in _prefixes(Settings).values()} & os.environ.keys()
    return [f"{' or '.join(sorted(names)) or error} is no valid JSON. {_REMEDY}"]


def _problem(prefix: str, problem: ErrorDetails) -> str:
    name = "_".join(str(part) for part in problem["loc"]).upper()
    message = problem["msg"].removeprefix("Value error, ").rstrip(".")
    return f"{prefix}{name}: {message}. {_REMEDY}" if name else f"{message}. {_REMEDY}"


def _prefixes(kind: type[Settings]) -> dict[str, str]:
    """The environment prefix of a class and of all that derive from it, by class name."""
    found = {kind.__name__: kind.model_config.get("env_prefix", "")}
    for derived in kind.__subclasses__():
        found |= _prefixes(derived)
    return found


class MeshSettings(Settings):
    """What every part of a mesh has in common; `MAIE_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MAIE_")

    nats_url: str = "nats://127.0.0.1:4222"
    """Where NATS with JetStream answers; several servers with commas."""
    ack_wait_seconds: float = Field(default=ACK_WAIT_SECONDS, ge=1)
    """A unit goes to another worker when its worker was silent for so long. Gateways declare it and
    workers keep to it, so all parts of a mesh need the same."""
    blob_url: str = "file:///var/lib/maie/blobs"
    """Where recordings and results are kept: `file:///DIR` or `s3://BUCKET/PREFIX`."""
    models_dir: Path = DEFAULT_MODELS_DIR
    """Where `maie models pull` puts models, and where engines look for their default model."""
    log_format: Literal["json", "console"] = "json"
    """JSON for machines, console for people."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least important log line that is written."""
    shutdown_grace_seconds: float = Field(default=20.0, gt=0)
    """How long work in hand may go on after SIGTERM before it is given back."""


class ServiceSettings(Settings):
    """What every stage service has in common; `MAIE_STAGE_` in the environment.

    A service derives its own class, sets its own `env_prefix` and defaults.
    """

    mesh: MeshSettings = Field(default_factory=MeshSettings)
    """What every part of the mesh has in common."""
    listen: str = "127.0.0.1:0"
    """The address that gRPC listens on; port 0 takes a free one."""
    advertise: str = ""
    """The address that others reach it under; `listen` where empty."""
    instance: str = ""
    """The worker's name; made from stage, host and process where empty."""
    slots: int = Field(default=1, ge=1, le=64)
    """How many units and direct calls the worker runs at once."""
    interactive_slots: int = Field(default=0, ge=0)
    """How many of the slots take no batch work; fewer than `slots`. Direct calls take any."""
    unit_deadline_seconds: float = Field(default=1800.0, gt=0)
    """A unit or a direct call that takes longer is stopped and counts as failed."""
    stall_seconds: float = Field(default=300.0, gt=0)
    """A unit or a direct call whose stage gives no sign of life for so long is stopped and counts
    as failed; a call waits no longer than that for a slot."""
    cancel_grace_seconds: float = Field(default=5.0, gt=0)
    """A worker whose engine does not stop within this ends with status 70, to be started again."""
    max_deliveries: int = Field(default=3, ge=1)
    """A unit whose workers died or fell silent so often is given up."""

    @field_validator("interactive_slots")
    @classmethod
    def _leave_a_slot_for_batch(cls, reserved: int, info: ValidationInfo) -> int:
        if reserved >= info.data.get("slots", reserved + 1):
            raise ValueError("must be less than slots, or batch work would never run")
        return reserved

    @property
    def shared_gpu(self) -> str:
        """The name of the GPU that the service shares with others; empty for none."""
        return ""

    def check(self) -> None:
        """Refuses what can be seen to be wrong before anything is started.

        Raises:
            StageError: FAILED_PRECONDITION, such as with ENGINE_NOT_FOUND.
        """


class GpuServiceSettings(ServiceSettings):
    """What stage services with a model that may lie in a GPU have in common."""

    residency: Literal["resident", "shared-gpu"] = "resident"
    """Whether the model stays in memory, or services that name the same `gpu` take turns: the one
    whose turn it is loads its model, works and unloads it before the next one loads its own."""
    gpu: str = Field(default="", validate_default=True, pattern=rf"^({_GPU_NAME})?$")
    """The name of the GPU that is shared, the same in all services that share it, such as
    `node-1/0`. Any name will do, as long as no other GPU has it."""
    turn_seconds: float = Field(default=60.0, gt=0)
    """A service with more work than that hands a shared GPU on once others wait for it; one
    without work keeps its model for so long where nobody waits."""

    @field_validator("gpu")
    @classmethod
    def _name_what_is_shared(cls, gpu: str, info: ValidationInfo) -> str:
        if info.data.get("residency") == "shared-gpu" and not gpu:
            raise ValueError("name the GPU that is shared, such as node-1/0")
        return gpu

    @property
    def shared_gpu(self) -> str:
        """The name of the GPU that the service shares with others; empty for none."""
        return self.gpu
