"""The gateway's settings; `MAIE_GATEWAY_` in the environment."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from maie_runtime.settings import MeshSettings, Settings
from maie_templates import TemplateSettings

MEBIBYTE = 1024 * 1024


class GatewaySettings(Settings):
    """What a gateway can be told."""

    model_config = SettingsConfigDict(env_prefix="MAIE_GATEWAY_")

    mesh: MeshSettings = Field(default_factory=MeshSettings)
    """What every part of the mesh has in common."""
    listen: str = "127.0.0.1:50051"
    """The address that gRPC listens on; port 0 takes a free one."""
    templates: TemplateSettings = Field(default_factory=TemplateSettings)
    """Where templates are looked for."""
    max_active_jobs: int = Field(default=50, ge=1)
    """How many jobs may be unfinished before a submit is refused."""
    max_upload_bytes: int = Field(default=500 * MEBIBYTE, ge=1)
    """The largest recording that is taken."""
    upload_idle_seconds: float = Field(default=30.0, gt=0)
    """An upload that sends nothing for so long is ended."""
    max_retries: int = Field(default=2, ge=0)
    """How often a unit is tried again after a fault that may pass."""
    reconcile_seconds: float = Field(default=15.0, gt=0)
    """How often jobs are looked for that stand still."""
