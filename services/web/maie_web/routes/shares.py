"""Shares: what a tenant makes so that others read one of its recordings by a link."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from litestar import Response
from litestar.params import FromPath, JSONBody

from maie.share.v1 import share_pb2 as share
from maie_core.errors import invalid
from maie_core.reasons import Reason
from maie_web.callers import CallersClient
from maie_web.handlers import delete, get, post

TAGS = ["sharing"]
# Of what shows a secret, nothing on the way keeps a copy.
NOT_KEPT = {"cache-control": "no-store"}
MOST_DAYS = 3653


@dataclass(kw_only=True, frozen=True, slots=True)
class NewShare:
    """What to share.

    Attributes:
        days: How long the share works; as the mesh's own setting says where unset.
        audio: Whether it gives the audio as well.
    """

    days: float | None = None
    audio: bool = False


@post("/v1/jobs/{job_id:str}/shares", summary="Share a job", tags=TAGS)
async def create(
    client: CallersClient, job_id: FromPath[str], data: JSONBody[NewShare]
) -> Response[share.CreateShareResponse]:
    """Makes a share of a job. Its link is /s/#TOKEN; the token is shown this once."""
    made = await client.shares.create(job_id, lifetime=_lifetime(data.days), audio=data.audio)
    return Response(made, headers=NOT_KEPT)


@get("/v1/jobs/{job_id:str}/shares", summary="List a job's shares", tags=TAGS)
async def of_job(client: CallersClient, job_id: FromPath[str]) -> share.ListSharesResponse:
    """The shares of a job that work, the newest first, without their tokens."""
    return share.ListSharesResponse(shares=await client.shares.list(job_id))


@get("/v1/shares", summary="List all shares", tags=TAGS)
async def of_all(client: CallersClient) -> share.ListSharesResponse:
    """The shares of all jobs of the tenant that work, the newest first, without their tokens."""
    return share.ListSharesResponse(shares=await client.shares.list())


@delete("/v1/jobs/{job_id:str}/shares/{share_id:str}", summary="Revoke a share", tags=TAGS)
async def revoke(client: CallersClient, job_id: FromPath[str], share_id: FromPath[str]) -> None:
    """Ends a share at once."""
    await client.shares.revoke(job_id, share_id)


def _lifetime(days: float | None) -> timedelta | None:
    if days is None:
        return None
    if not 0 < days <= MOST_DAYS:
        raise invalid(
            Reason.FIELD_INVALID, f"A share works for up to {MOST_DAYS} days.", field="days"
        )
    return timedelta(days=days)
