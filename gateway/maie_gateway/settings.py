"""The gateway's settings; `MAIE_GATEWAY_` in the environment."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from maie_core.settings import FileSetting, MeshSettings, Settings
from maie_gateway.access.settings import AccessSettings
from maie_gateway.fetching.settings import FetchSettings
from maie_gateway.intake.admission import AdmissionLimits
from maie_gateway.intake.pace import UploadLimits
from maie_gateway.limits.callers import CallerLimits
from maie_gateway.limits.settings import LimitSettings, TenantLimits
from maie_gateway.live.settings import LiveSettings
from maie_gateway.readmodel import ReadModelSettings
from maie_gateway.shares.settings import ShareSettings
from maie_gateway.vault.settings import VaultSettings
from maie_gateway.webhooks import WebhookSettings
from maie_runtime.bus.streams import Lifetimes
from maie_runtime.rpc.messages import Patience
from maie_runtime.rpc.server import Connections
from maie_templates import TemplateSettings

MEBIBYTE = 1024 * 1024


DAY_SECONDS = 24 * 3600.0


class RetentionSettings(Settings):
    """How long things are kept; `MAIE_RETENTION_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MAIE_RETENTION_")

    jobs_days: float = Field(default=30.0, gt=0)
    """How long a finished job is kept, with its recording and results."""
    events_days: float = Field(default=7.0, gt=0)
    """How long events stay in the events stream for consumers."""
    dead_letters_days: float = Field(default=30.0, gt=0)
    """How long dead letters can be listed and replayed."""
    request_ids_days: float = Field(default=7.0, gt=0)
    """How long a repeated submit with the same request id returns the same job."""
    audit_days: float = Field(default=365.0, gt=0)
    """How long entries of the audit log are kept."""
    uploads_hours: float = Field(default=24.0, gt=0)
    """How long uploads without a job, and results of direct calls, are kept; must be longer than
    any upload takes. A resumable upload expires this long after its last bytes."""
    removals_seconds: int = Field(default=3600, ge=1)
    """How long the marker of a removed job is kept, for gateways that were disconnected."""
    sweep_seconds: float = Field(default=900.0, gt=0)
    """Interval between sweeps for expired data."""

    def lifetimes(self) -> Lifetimes:
        """The lifetimes that JetStream enforces."""
        return Lifetimes(
            events=self.events_days * DAY_SECONDS,
            dead_letters=self.dead_letters_days * DAY_SECONDS,
            requests=self.request_ids_days * DAY_SECONDS,
            audit=self.audit_days * DAY_SECONDS,
        )


class GatewaySettings(VaultSettings):
    """The settings of a gateway."""

    model_config = SettingsConfigDict(env_prefix="MAIE_GATEWAY_")

    mesh: MeshSettings = Field(default_factory=MeshSettings)
    """The settings that all processes of the mesh share."""
    listen: str = "127.0.0.1:50051"
    """The address that gRPC listens on; port 0 picks a free one. Others than 127.0.0.1 and ::1 need
    TLS."""
    tls_cert_file: FileSetting = None
    """The certificate that clients see, as PEM, with those between it and its CA; where unset,
    MAIE_TLS_CERT_FILE. Files that change are read again, without a restart."""
    tls_key_file: FileSetting = None
    """The private key of MAIE_GATEWAY_TLS_CERT_FILE, as PEM without a password."""
    plaintext: Literal["", "behind-a-proxy"] = ""
    """`behind-a-proxy`: a proxy on the way takes TLS and passes calls on in the clear, such as an
    ingress or the sidecar of a service mesh. The gateway then listens anywhere without TLS; what
    API keys pass between must be closed to others."""
    access: AccessSettings = Field(default_factory=AccessSettings)
    """Who may call the gateway."""
    limits: LimitSettings = Field(default_factory=LimitSettings)
    """What callers may ask for."""
    templates: TemplateSettings = Field(default_factory=TemplateSettings)
    """Where templates are."""
    retention: RetentionSettings = Field(default_factory=RetentionSettings)
    """How long data is kept."""
    read_model: ReadModelSettings = Field(default_factory=ReadModelSettings)
    """The database for lists and search."""
    live: LiveSettings = Field(default_factory=LiveSettings)
    """The settings of live speech."""
    shares: ShareSettings = Field(default_factory=ShareSettings)
    """How others may read recordings by a link."""
    webhooks: WebhookSettings = Field(default_factory=WebhookSettings)
    """The settings of webhooks."""
    fetch: FetchSettings = Field(default_factory=FetchSettings)
    """Which recordings are fetched from URLs."""
    max_active_jobs: int = Field(default=50, ge=1)
    """The most unfinished jobs; further submits are refused."""
    max_active_jobs_per_tenant: int | None = Field(default=None, ge=1)
    """The most unfinished jobs of one tenant; where unset, four fifths of
    MAIE_GATEWAY_MAX_ACTIVE_JOBS, which leaves room for others. With a single tenant, set both to
    the same number."""
    max_running_jobs_per_tenant: int = Field(default=8, ge=1)
    """The most running jobs of one tenant in each lane; further jobs are held."""
    max_upload_bytes: int = Field(default=500 * MEBIBYTE, ge=1)
    """The largest accepted recording, in bytes."""
    max_uploads: int = Field(default=64, ge=1)
    """The most concurrent uploads; each takes up to 10 MiB of memory. A new upload replaces a
    stalled one."""
    max_uploads_per_tenant: int | None = Field(default=None, ge=1)
    """The most concurrent uploads of one tenant; where unset, half of MAIE_GATEWAY_MAX_UPLOADS."""
    max_unfinished_uploads_per_tenant: int = Field(default=100, ge=1)
    """The most resumable uploads of one tenant that are no jobs yet; each may hold as many bytes as
    the largest recording."""
    upload_idle_seconds: float = Field(default=30.0, gt=0)
    """End an upload that sends nothing for this long."""
    upload_min_bytes_per_second: int = Field(default=1024, ge=0)
    """End an upload whose mean rate over MAIE_GATEWAY_UPLOAD_IDLE_SECONDS is lower; 0 accepts any
    rate. Live speech in Opus needs 2000 or more."""
    upload_max_seconds: float = Field(default=7200.0, gt=0)
    """End an upload that takes longer than this."""
    max_connections: int = Field(default=800, ge=1)
    """The most connections of clients at a time; further ones are closed at once. Keep it below the
    number of files that the process may have open (ulimit -n), which is 1024 in many places."""
    connection_idle_seconds: float = Field(default=300.0, gt=0)
    """Close a connection that has had no call for about this long. Clients connect again with their
    next call."""
    connection_age_seconds: float | None = Field(default=None, gt=0)
    """Have clients connect again after about this long, so that those with a list of gateways come
    to know new ones. Calls that run go on to their end. Where unset, connections may last."""
    request_seconds: float = Field(default=30.0, gt=0)
    """End a call whose request does not come within this time."""
    unread_seconds: float = Field(default=60.0, gt=0)
    """End a call whose client does not read a response for this long; watches, downloads and live
    sessions, too."""
    unread_min_bytes_per_second: int = Field(default=1024, ge=1)
    """A large response may take longer: a second more for so many bytes."""
    speech_seconds: float = Field(default=1800.0, gt=0)
    """End a call that speaks a text for longer than this."""
    max_retries: int = Field(default=2, ge=0)
    """How often a unit is retried after a retryable failure."""
    reconcile_seconds: float = Field(default=15.0, gt=0)
    """Interval between scans for stalled jobs."""
    measure_quality: bool = True
    """Have the sound of each recording measured where a quality worker runs, also of jobs that do
    not ask for it, but for those that somebody waits for (the interactive lane). Such a job never
    fails with it."""
    optional_grace_seconds: float = Field(default=10.0, ge=0, le=600)
    """How long a job that is done but for what it did not ask for waits for that; 3 s where all
    workers that could make it are busy with other jobs."""

    @model_validator(mode="after")
    def _name_both_of_tls(self) -> Self:
        if (self.tls_cert_file is None) != (self.tls_key_file is None):
            raise ValueError(
                "MAIE_GATEWAY_TLS_CERT_FILE and MAIE_GATEWAY_TLS_KEY_FILE belong together: set both"
            )
        if self.plaintext and self.tls_cert_file is not None:
            raise ValueError(
                "MAIE_GATEWAY_PLAINTEXT and MAIE_GATEWAY_TLS_CERT_FILE exclude each other: set one"
            )
        return self

    @model_validator(mode="after")
    def _store_nothing_unencrypted(self) -> Self:
        if self.master_key and self.read_model.in_file:
            raise ValueError(
                "MAIE_GATEWAY_READ_MODEL_URL names a file, which would hold names and texts "
                "unencrypted; set it to sqlite:// to have the read model in memory"
            )
        return self

    @property
    def active_jobs_per_tenant(self) -> int:
        """The most unfinished jobs of one tenant."""
        return self.max_active_jobs_per_tenant or max(1, self.max_active_jobs * 4 // 5)

    @property
    def uploads_per_tenant(self) -> int:
        """The most concurrent uploads of one tenant."""
        return self.max_uploads_per_tenant or max(1, self.max_uploads // 2)

    def tenant_limits(self) -> TenantLimits:
        """The limits of a tenant that has none of its own."""
        return TenantLimits(
            requests_per_second=self.limits.requests_per_second,
            requests_burst=self.limits.requests_burst,
            streams=self.limits.streams,
            watches=self.limits.watches,
            uploads=self.uploads_per_tenant,
            live_sessions=self.live.sessions_per_tenant,
            active_jobs=self.active_jobs_per_tenant,
            audio_hours_per_day=self.limits.audio_hours_per_day,
            voices=self.limits.voices,
        )

    def admission_limits(self, callers: CallerLimits) -> AdmissionLimits:
        """The limits on jobs and uploads.

        Args:
            callers: The limits of single tenants.
        """
        return AdmissionLimits(
            jobs=self.max_active_jobs,
            jobs_per_tenant=self.active_jobs_per_tenant,
            uploads=self.max_uploads,
            uploads_per_tenant=self.uploads_per_tenant,
            callers=callers,
        )

    def patience(self) -> Patience:
        """How long the gateway waits for requests, and until responses are read."""
        return Patience(
            request_seconds=self.request_seconds,
            unread_seconds=self.unread_seconds,
            min_bytes_per_second=self.unread_min_bytes_per_second,
        )

    def connections(self) -> Connections:
        """How many connections the gateway has, and for how long."""
        return Connections(
            most=self.max_connections,
            idle_seconds=self.connection_idle_seconds,
            age_seconds=self.connection_age_seconds,
        )

    def upload_limits(self) -> UploadLimits:
        """The limits on one upload."""
        return UploadLimits(
            max_bytes=self.max_upload_bytes,
            idle_seconds=self.upload_idle_seconds,
            min_bytes_per_second=self.upload_min_bytes_per_second,
            max_seconds=self.upload_max_seconds,
        )
