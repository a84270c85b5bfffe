"""Who is logged in: browsers show a cookie in place of a key."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus

from litestar import Request, Response
from litestar.openapi import ResponseSpec
from litestar.params import JSONBody

from maie.access.v1 import access_pb2 as access
from maie_core.errors import StageError, invalid
from maie_core.reasons import Reason
from maie_web.callers import AllCallers, CallersClient, refuse_other_sites
from maie_web.handlers import delete, get, post
from maie_web.sessions.session import Session, session_of

TAGS = ["session"]
SECONDS_PER_HOUR = 3600


@dataclass(kw_only=True, frozen=True, slots=True)
class Login:
    """What logs in.

    Attributes:
        key: An API key or a JSON Web Token of the mesh.
    """

    key: str


@dataclass(kw_only=True, frozen=True, slots=True)
class CurrentSession:
    """Who is logged in.

    Attributes:
        caller: Who the gateway takes the caller for.
        logged_in: Whether a login says it, and not a header or the operating system.
        expire_time: When the login ends; unset without one.
    """

    caller: access.Caller
    logged_in: bool
    expire_time: datetime | None = None


@post("/v1/session", summary="Log in", tags=TAGS, status_code=HTTPStatus.OK)
async def log_in(
    request: Request, callers: AllCallers, data: JSONBody[Login]
) -> Response[CurrentSession]:
    """Checks a key at the gateway, and gives a cookie that is taken in its place."""
    refuse_other_sites(request)
    if not data.key:
        raise invalid(Reason.FIELD_INVALID, "The key is empty; send an API key.", field="key")
    caller = await callers.acting(request, token=data.key).get_caller()
    ends_at = time.time() + callers.session_hours * SECONDS_PER_HOUR
    session = session_of(data.key, caller, ends_at)
    return Response(
        CurrentSession(caller=caller, logged_in=True, expire_time=_time(session)),
        cookies=callers.cookies.of_session(request, session),
    )


@get("/v1/session", summary="Get who is logged in", tags=TAGS)
async def current(request: Request, callers: AllCallers, client: CallersClient) -> CurrentSession:
    """Says who calls, however the caller shows it; 401 where nobody does."""
    session = callers.session_of(request)
    return CurrentSession(
        caller=await client.get_caller(),
        logged_in=session is not None,
        expire_time=_time(session) if session else None,
    )


@delete(
    "/v1/session",
    summary="Log out",
    tags=TAGS,
    responses={HTTPStatus.NO_CONTENT: ResponseSpec(None, description="Nobody is logged in.")},
)
async def log_out(request: Request, callers: AllCallers) -> Response[None]:
    """Takes the cookie back, and ends the login at the provider where it came from one."""
    refuse_other_sites(request)
    session = callers.cookies.session_of(request)
    if callers.logins is not None and session is not None and session.refresh_token:
        # The browser is logged out in any case.
        with suppress(StageError):
            await callers.logins.provider.revoke(session.refresh_token)
    return Response(
        None, status_code=HTTPStatus.NO_CONTENT, cookies=callers.cookies.of_nobody(request)
    )


def _time(session: Session) -> datetime:
    return datetime.fromtimestamp(session.expires_at, UTC)
