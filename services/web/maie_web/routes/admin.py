"""What those do who look after a mesh, with the scope admin: its keys, its audit log, its state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Literal

from litestar import Response
from litestar.params import FromPath, JSONBody, QueryParameter

from maie.access.v1 import access_pb2 as access
from maie.catalog.v1 import catalog_pb2 as catalog
from maie_core.errors import invalid
from maie_core.reasons import Reason
from maie_web.callers import CallersClient
from maie_web.handlers import delete, get, post
from maie_web.routes.shares import NOT_KEPT

TAGS = ["admin"]
SCOPES = {
    "submit": access.SCOPE_SUBMIT,
    "read": access.SCOPE_READ,
    "live": access.SCOPE_LIVE,
    "admin": access.SCOPE_ADMIN,
}
# What fits into a timedelta with room to spare; the gateway allows less, and says how much.
MOST_DAYS = 100_000
MOST_ENTRY = 2**63 - 1

OfTenant = Annotated[
    str, QueryParameter(name="tenant", description="Only of this tenant; of all where empty.")
]


@dataclass(kw_only=True, frozen=True, slots=True)
class NewKey:
    """A key to make.

    Attributes:
        scopes: What its holder may do; at least one.
        tenant: The tenant that it acts for; "default" where empty.
        display_name: What it is for, for people.
        days: How long it works; until it is revoked where unset.
    """

    scopes: list[Literal["submit", "read", "live", "admin"]]
    tenant: str = ""
    display_name: str = ""
    days: float | None = None


@dataclass(kw_only=True, frozen=True, slots=True)
class Rotation:
    """Another secret for a key.

    Attributes:
        overlap_hours: How long the secret before works on; a day where unset.
    """

    overlap_hours: float | None = None


@get("/v1/admin/keys", summary="List keys", tags=TAGS)
async def keys(client: CallersClient, tenant: OfTenant = "") -> access.ListKeysResponse:
    """The API keys without their secrets, by tenant and time."""
    return access.ListKeysResponse(keys=await client.keys.list(tenant))


@post("/v1/admin/keys", summary="Make a key", tags=TAGS)
async def make_key(
    client: CallersClient, data: JSONBody[NewKey]
) -> Response[access.CreateKeyResponse]:
    """Makes an API key, which is shown this once."""
    made = await client.keys.create(
        scopes=[SCOPES[each] for each in data.scopes],
        tenant=data.tenant,
        display_name=data.display_name,
        lifetime=_days(data.days, "days"),
    )
    return Response(made, headers=NOT_KEPT)


@post(
    "/v1/admin/keys/{key_id:str}/rotate",
    summary="Rotate a key",
    tags=TAGS,
    status_code=HTTPStatus.OK,
)
async def rotate_key(
    client: CallersClient, key_id: FromPath[str], data: JSONBody[Rotation]
) -> Response[access.RotateKeyResponse]:
    """Gives a key another secret, which is shown this once."""
    hours = data.overlap_hours
    overlap = _days(None if hours is None else hours / 24, "overlap_hours")
    return Response(await client.keys.rotate(key_id, overlap), headers=NOT_KEPT)


@delete("/v1/admin/keys/{key_id:str}", summary="Revoke a key", tags=TAGS, status_code=HTTPStatus.OK)
async def revoke_key(client: CallersClient, key_id: FromPath[str]) -> access.ApiKey:
    """Ends a key and all of its secrets at once."""
    return await client.keys.revoke(key_id)


@get("/v1/admin/audit", summary="Read the audit log", tags=TAGS)
async def audit(
    client: CallersClient,
    tenant: OfTenant = "",
    job_id: Annotated[str, QueryParameter(description="Only about this job.")] = "",
    caller_id: Annotated[str, QueryParameter(description="Only of this caller.")] = "",
    action: Annotated[
        str, QueryParameter(description="Only of this RPC or act, such as DeleteJob.")
    ] = "",
    start_time: Annotated[
        datetime | None, QueryParameter(description="Only entries from this time on.")
    ] = None,
    end_time: Annotated[
        datetime | None, QueryParameter(description="Only entries before this time.")
    ] = None,
    page_size: Annotated[
        int, QueryParameter(description="The most entries; 100 where 0.", ge=0, le=1000)
    ] = 0,
    after_entry_id: Annotated[
        int,
        QueryParameter(
            description="Only entries after this one: the read_up_to of the page before.",
            ge=0,
            le=MOST_ENTRY,
        ),
    ] = 0,
) -> access.ListAuditEntriesResponse:
    """A page of the audit log, the oldest entries first."""
    request = access.ListAuditEntriesRequest(
        tenant=tenant,
        job_id=job_id,
        caller_id=caller_id,
        action=action,
        page_size=page_size,
        after_entry_id=after_entry_id,
    )
    if start_time:
        request.start_time.FromDatetime(start_time)
    if end_time:
        request.end_time.FromDatetime(end_time)
    return await client.audit.page(request)


@get("/v1/admin/mesh", summary="Get the mesh", tags=TAGS)
async def mesh(client: CallersClient) -> catalog.GetMeshResponse:
    """The parts of the mesh: gateways, workers, queues, what waits, and what ended lately."""
    return await client.get_mesh()


def _days(days: float | None, field: str) -> timedelta | None:
    if days is None:
        return None
    if not 0 <= days <= MOST_DAYS:
        raise invalid(
            Reason.FIELD_INVALID, f"{field} is a time from now on; name a shorter one.", field=field
        )
    return timedelta(days=days)
