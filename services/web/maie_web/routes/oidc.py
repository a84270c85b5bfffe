"""Logins of people at an OpenID Connect provider."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from litestar import Request, Response
from litestar.exceptions import NotFoundException
from litestar.params import QueryParameter

from maie_web.callers import AllCallers, Callers
from maie_web.handlers import get
from maie_web.oidc.logins import CALLBACK, Logins
from maie_web.oidc.provider import login_failed

TAGS = ["session"]


@dataclass(kw_only=True, frozen=True, slots=True)
class LoginWays:
    """How people can log in here.

    Attributes:
        key: With an API key; always.
        oidc: At the organisation's provider, from /v1/session/oidc.
    """

    key: bool
    oidc: bool


@get("/v1/session/ways", summary="Get how to log in", tags=TAGS)
async def ways(callers: AllCallers) -> LoginWays:
    """Says how people can log in, to everybody."""
    return LoginWays(key=True, oidc=callers.logins is not None)


@get("/v1/session/oidc", summary="Log in at the provider", tags=TAGS, status_code=HTTPStatus.FOUND)
async def begin(
    request: Request,
    callers: AllCallers,
    return_to: Annotated[
        str, QueryParameter(name="return_to", description="The path to go to afterwards.")
    ] = "/",
) -> Response[None]:
    """Leads a browser to the provider, which leads it back."""
    url, pending = await _logins(callers).begin(return_to)
    return Response(
        None,
        status_code=HTTPStatus.FOUND,
        headers={"location": url, "cache-control": "no-store"},
        cookies=[callers.cookies.of_pending(request, pending)],
    )


@get(CALLBACK, include_in_schema=False, status_code=HTTPStatus.FOUND)
async def finish(
    request: Request,
    callers: AllCallers,
    given_state: Annotated[str, QueryParameter(name="state")] = "",
    code: Annotated[str, QueryParameter(name="code")] = "",
    error: Annotated[str, QueryParameter(name="error")] = "",
) -> Response[None]:
    """Takes a browser that the provider leads back, and logs it in."""
    logins = _logins(callers)
    if error:
        raise login_failed("its provider refused")
    pending = callers.cookies.pending_of(request)
    session = await logins.finish(pending, given_state, code)
    return Response(
        None,
        status_code=HTTPStatus.FOUND,
        headers={
            "location": pending.return_to if pending else "/",
            "cache-control": "no-store",
        },
        cookies=[
            *callers.cookies.of_session(request, session),
            callers.cookies.of_no_pending(request),
        ],
    )


def _logins(callers: Callers) -> Logins:
    if callers.logins is None:
        raise NotFoundException
    return callers.logins
