"""The tenants of a mesh and their limits, for those who look after it."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from litestar.params import FromPath, JSONBody

from maie.tenant.v1 import tenant_pb2 as messages
from maie_core.errors import invalid
from maie_core.reasons import Reason
from maie_formats.from_json import from_dict
from maie_web.callers import CallersClient
from maie_web.handlers import get, put

TAGS = ["admin"]


@dataclass(kw_only=True, frozen=True, slots=True)
class Limits:
    """What a tenant may have at a time, each up to 1000000.

    Attributes:
        requests_per_second: Calls a second at one gateway, as a mean.
        requests_burst: Calls at once at one gateway, after a rest.
        streams: Streams of any kind at one gateway.
        watches: Streams that follow a job at one gateway.
        uploads: Concurrent uploads at one gateway.
        live_sessions: Live sessions at one gateway.
        active_jobs: Unfinished jobs in the mesh.
        audio_hours_per_day: Hours of audio from midnight to midnight UTC.
        voices: Profiles of voices, up to 1000; with 0 nobody may enrol or find voices.
    """

    requests_per_second: float | None = None
    requests_burst: int | None = None
    streams: int | None = None
    watches: int | None = None
    uploads: int | None = None
    live_sessions: int | None = None
    active_jobs: int | None = None
    audio_hours_per_day: float | None = None
    voices: int | None = None


@dataclass(kw_only=True, frozen=True, slots=True)
class NewLimits:
    """The limits of a tenant, in place of those that were set before.

    Attributes:
        limits: The limits; those that are left out are from the gateways' settings.
        base_revision: The limits_revision that they are based on; 0 where there is none.
    """

    limits: Limits
    base_revision: str | int


@get("/v1/admin/tenants", summary="List tenants", tags=TAGS)
async def tenants(client: CallersClient) -> messages.ListTenantsResponse:
    """The tenants with what they have and may have, by name."""
    return messages.ListTenantsResponse(tenants=await client.tenants.list())


@put("/v1/admin/tenants/{tenant:str}/limits", summary="Set the limits of a tenant", tags=TAGS)
async def set_limits(
    client: CallersClient, tenant: FromPath[str], data: JSONBody[NewLimits]
) -> messages.SetTenantLimitsResponse:
    """Sets the limits of a tenant; 409 where somebody set others meanwhile."""
    try:
        asked = from_dict(asdict(data), messages.SetTenantLimitsRequest())
    except ValueError as error:
        raise invalid(
            Reason.FIELD_INVALID,
            "A limit is a number up to 1000000, and base_revision the limits_revision that GET "
            "gives; correct them.",
            field="limits",
        ) from error
    revision = await client.tenants.set_limits(tenant, asked.limits, asked.base_revision)
    return messages.SetTenantLimitsResponse(limits_revision=revision)
