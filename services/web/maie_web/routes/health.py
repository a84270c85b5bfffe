"""Whether the mesh can be reached."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from litestar import Response, get

from maie_client import ClientError
from maie_web.callers import AllCallers

HEALTH, LIVENESS = "/health", "/health/live"


@dataclass(kw_only=True, frozen=True, slots=True)
class Health:
    """Whether recordings are taken now.

    Attributes:
        status: "SERVING" or "NOT_SERVING".
        detail: Why not, as a sentence; empty where it serves.
    """

    status: str
    detail: str = ""


@get(HEALTH, summary="Health", tags=["mesh"])
async def health(callers: AllCallers) -> Response[Health]:
    """Asks the gateway, which asks its broker; 503 where either does not answer."""
    try:
        serves = await callers.anonymous.health()
        detail = "" if serves else "The gateway does not serve; its log says why."
    except ClientError as error:
        serves, detail = False, error.message
    found = Health(status="SERVING" if serves else "NOT_SERVING", detail=detail)
    status = HTTPStatus.OK if serves else HTTPStatus.SERVICE_UNAVAILABLE
    return Response(found, status_code=status)


@get(LIVENESS, summary="Liveness", tags=["mesh"], include_in_schema=False)
async def live() -> Health:
    """Answers as long as this process works, whatever the mesh does; for liveness probes."""
    return Health(status="SERVING")
