"""Settings: one frozen class for each service, read once from the environment."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class MeshSettings(BaseSettings):
    """What every part of a mesh has in common; `MAIE_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MAIE_", frozen=True)

    nats_url: str = "nats://127.0.0.1:4222"
    """Where NATS with JetStream answers; several servers with commas."""
    blob_url: str = "file:///var/lib/maie/blobs"
    """Where recordings and results are kept: `file:///DIR` or `s3://BUCKET/PREFIX`."""
    log_format: Literal["json", "console"] = "json"
    """JSON for machines, console for people."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least important log line that is written."""
    shutdown_grace_seconds: float = Field(default=20.0, gt=0)
    """How long work in hand may go on after SIGTERM before it is given back."""


class ServiceSettings(BaseSettings):
    """What every stage service has in common; `MAIE_STAGE_` in the environment.

    A service derives its own class, sets its own `env_prefix` and defaults.
    """

    model_config = SettingsConfigDict(frozen=True)

    mesh: MeshSettings = Field(default_factory=MeshSettings)
    """What every part of the mesh has in common."""
    listen: str = "127.0.0.1:0"
    """The address that gRPC listens on; port 0 takes a free one."""
    advertise: str = ""
    """The address that others reach it under; `listen` where empty."""
    instance: str = ""
    """The worker's name; made from stage, host and process where empty."""
    slots: int = Field(default=1, ge=1, le=64)
    """How many units the worker runs at once."""
    unit_deadline_seconds: float = Field(default=1800.0, gt=0)
    """A unit that takes longer is stopped and counts as failed."""
    ack_wait_seconds: float = Field(default=15.0, ge=1)
    """A unit goes to another worker when this one was silent for so long."""
    max_deliveries: int = Field(default=5, ge=1)
    """A unit whose workers died or fell silent so often is given up."""
