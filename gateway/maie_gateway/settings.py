"""The gateway's settings; `MAIE_GATEWAY_` in the environment."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from maie_gateway.intake.admission import AdmissionLimits
from maie_gateway.intake.pace import UploadLimits
from maie_gateway.readmodel import ReadModelSettings
from maie_gateway.webhooks import WebhookSettings
from maie_runtime.bus.streams import Lifetimes
from maie_runtime.settings import MeshSettings, Settings
from maie_templates import TemplateSettings

MEBIBYTE = 1024 * 1024


DAY_SECONDS = 24 * 3600.0


class RetentionSettings(Settings):
    """How long things are kept; `MAIE_RETENTION_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MAIE_RETENTION_")

    jobs_days: float = Field(default=30.0, gt=0)
    """A job is removed with its recording and results so long after it was finished."""
    events_days: float = Field(default=7.0, gt=0)
    """How long consumers of the events stream can read what happened."""
    dead_letters_days: float = Field(default=30.0, gt=0)
    """How long what was given up can be listed and replayed."""
    request_ids_days: float = Field(default=7.0, gt=0)
    """How long a submit that is sent again under its request id gives the same job."""
    uploads_hours: float = Field(default=24.0, gt=0)
    """An upload that became no job, and what a service stored for a direct caller, is removed after
    so long; longer than any upload takes."""
    removals_seconds: int = Field(default=3600, ge=1)
    """How long a removed job's id is kept, for gateways that were away to hear of it."""
    sweep_seconds: float = Field(default=900.0, gt=0)
    """How often a gateway looks for what is over its time."""

    def lifetimes(self) -> Lifetimes:
        """What JetStream itself has to forget."""
        return Lifetimes(
            events=self.events_days * DAY_SECONDS,
            dead_letters=self.dead_letters_days * DAY_SECONDS,
            requests=self.request_ids_days * DAY_SECONDS,
        )


class GatewaySettings(Settings):
    """What a gateway can be told."""

    model_config = SettingsConfigDict(env_prefix="MAIE_GATEWAY_")

    mesh: MeshSettings = Field(default_factory=MeshSettings)
    """What every part of the mesh has in common."""
    listen: str = "127.0.0.1:50051"
    """The address that gRPC listens on; port 0 takes a free one."""
    templates: TemplateSettings = Field(default_factory=TemplateSettings)
    """Where templates are looked for."""
    retention: RetentionSettings = Field(default_factory=RetentionSettings)
    """How long things are kept."""
    read_model: ReadModelSettings = Field(default_factory=ReadModelSettings)
    """Where lists and search are answered from."""
    webhooks: WebhookSettings = Field(default_factory=WebhookSettings)
    """Where and how deliveries go out."""
    max_active_jobs: int = Field(default=50, ge=1)
    """How many jobs may be unfinished before a submit is refused."""
    max_active_jobs_per_tenant: int | None = Field(default=None, ge=1)
    """How many jobs of one tenant may be unfinished before its submit is refused; four fifths of
    MAIE_GATEWAY_MAX_ACTIVE_JOBS where it is unset, so that others find room. Where there is one
    tenant only, set both to the same number."""
    max_running_jobs_per_tenant: int = Field(default=8, ge=1)
    """How many jobs of one tenant, in each lane, are in work at once; others wait their turn."""
    max_upload_bytes: int = Field(default=500 * MEBIBYTE, ge=1)
    """The largest recording that is taken."""
    max_uploads: int = Field(default=64, ge=1)
    """How many recordings may be on their way at once; one takes up to 10 MiB of memory. One that
    stands still gives its place to the next."""
    max_uploads_per_tenant: int | None = Field(default=None, ge=1)
    """How many recordings of one tenant may be on their way at once; half of
    MAIE_GATEWAY_MAX_UPLOADS where it is unset."""
    upload_idle_seconds: float = Field(default=30.0, gt=0)
    """An upload that sends nothing for so long is ended."""
    upload_min_bytes_per_second: int = Field(default=1024, ge=0)
    """An upload is ended that sends less, as a mean over MAIE_GATEWAY_UPLOAD_IDLE_SECONDS; 0 takes
    any. Speech in Opus has 2000 and more, should it be sent while it is spoken."""
    upload_max_seconds: float = Field(default=7200.0, gt=0)
    """An upload that is not complete after so long is ended."""
    max_retries: int = Field(default=2, ge=0)
    """How often a unit is tried again after a fault that may pass."""
    reconcile_seconds: float = Field(default=15.0, gt=0)
    """How often jobs are looked for that stand still."""

    def admission_limits(self) -> AdmissionLimits:
        """How much is let in."""
        return AdmissionLimits(
            jobs=self.max_active_jobs,
            jobs_per_tenant=self.max_active_jobs_per_tenant
            or max(1, self.max_active_jobs * 4 // 5),
            uploads=self.max_uploads,
            uploads_per_tenant=self.max_uploads_per_tenant or max(1, self.max_uploads // 2),
        )

    def upload_limits(self) -> UploadLimits:
        """What an upload may be."""
        return UploadLimits(
            max_bytes=self.max_upload_bytes,
            idle_seconds=self.upload_idle_seconds,
            min_bytes_per_second=self.upload_min_bytes_per_second,
            max_seconds=self.upload_max_seconds,
        )
