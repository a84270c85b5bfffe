"""The settings of limits; `MAIE_GATEWAY_LIMIT_` in the environment."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import SettingsConfigDict

from maie_core.limits import MAX_VOICES
from maie_core.settings import Settings

MOST = 1_000_000
"""The largest limit of one tenant; more is as good as none."""
PositiveCount = Annotated[int, Field(ge=1, le=MOST)]


class TenantLimits(BaseModel):
    """The limits of one tenant; unset ones are those of every tenant."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    requests_per_second: float | None = Field(default=None, gt=0, le=MOST)
    requests_burst: PositiveCount | None = None
    streams: PositiveCount | None = None
    watches: PositiveCount | None = None
    uploads: PositiveCount | None = None
    live_sessions: PositiveCount | None = None
    active_jobs: PositiveCount | None = None
    audio_hours_per_day: float | None = Field(default=None, ge=0, le=MOST)
    voices: int | None = Field(default=None, ge=0, le=MAX_VOICES)

    def over(self, others: TenantLimits) -> TenantLimits:
        """These limits, and those of others where these are unset."""
        return others.model_copy(update=self.model_dump(exclude_none=True))


class LimitSettings(Settings):
    """What callers may ask of a gateway; `MAIE_GATEWAY_LIMIT_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MAIE_GATEWAY_LIMIT_")

    requests_per_second: float = Field(default=200.0, gt=0)
    """How many calls a second one tenant may make at one gateway, as a mean. This and the limits on
    streams and watches are for callers with keys and tokens, not for the user who runs the gateway.
    """
    requests_burst: int = Field(default=400, ge=1)
    """How many calls one tenant may make at once at one gateway, after a rest."""
    streams: int = Field(default=400, ge=1)
    """The most streams of one tenant at one gateway that run: uploads, watches, downloads, live
    sessions."""
    watches: int = Field(default=300, ge=1)
    """The most of these that follow a job (WatchJob, ProcessAudio)."""
    key_share: float = Field(default=0.5, gt=0, le=1)
    """The share of its tenant's calls, streams, watches and uploads that one key or token may have,
    so that one program of a tenant leaves room for its others."""
    audio_hours_per_day: float | None = Field(default=None, ge=0)
    """How many hours of audio of one tenant the mesh takes in a day, from midnight to midnight UTC:
    recordings and live sessions by their length. Unset: any."""
    voices: int = Field(default=0, ge=0, le=MAX_VOICES)
    """How many profiles of voices a tenant may have. With 0 nobody may enrol voices or find them in
    jobs; docs/voices.md says what to consider before."""
    failed_credentials_per_minute: int = Field(default=120, ge=1)
    """How many calls with wrong or no credentials one address may make in a minute before they are
    slowed down. Calls with right ones go on being served from there."""
    tenants: dict[str, TenantLimits] = Field(default={})
    """Other limits for single tenants, as JSON: {"acme": {"requests_per_second": 500,
    "audio_hours_per_day": 100}}. The names are requests_per_second, requests_burst, streams,
    watches, uploads, live_sessions, active_jobs, audio_hours_per_day and voices. Those that `maie
    tenants limit` sets come before them."""
