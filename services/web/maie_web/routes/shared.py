"""What a share shows to those who have its link.

A browser has the token from the fragment of the link, which it sends to nobody, and sends it once,
in the body of a request. Afterwards a cookie stands for it, since players and downloads can send no
header: it is sealed, and sent for the paths of this share only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus

from litestar import HttpMethod, Request, Response
from litestar.params import FromPath, JSONBody
from litestar.response import Stream

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie_client import Client
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_core.share_tokens import UNKNOWN, ShareToken, parse_token
from maie_web.callers import AllCallers, Callers, refuse_other_sites
from maie_web.handlers import get, post, route
from maie_web.routes.downloads import Format, audio_file, results_file
from maie_web.routes.shares import NOT_KEPT, TAGS
from maie_web.routes.waveforms import waveform_of
from maie_web.sessions.cookies import SHARED_PATH
from maie_web.sessions.session import OpenShare

METHODS = [HttpMethod.GET, HttpMethod.HEAD]


@dataclass(kw_only=True, frozen=True, slots=True)
class Link:
    """What opens a share.

    Attributes:
        token: The token of its link, which is behind the #.
    """

    token: str = field(repr=False)


@post(SHARED_PATH, summary="Open a share", tags=TAGS, status_code=HTTPStatus.OK)
async def open_share(
    request: Request, callers: AllCallers, data: JSONBody[Link]
) -> Response[job.Job]:
    """The job of a share as its readers see it, and a cookie for its files."""
    refuse_other_sites(request)
    token = _known(parse_token(data.token))
    shown = await callers.acting(request, token=token.text).get_job(token.job_id)
    ends_at = shown.shared.expire_time.ToMilliseconds() / 1000
    opened = OpenShare(token=token.text, expires_at=ends_at)
    cookie = callers.cookies.of_share(request, token.share_id, opened)
    return Response(shown, headers=NOT_KEPT, cookies=[cookie])


@route(
    f"{SHARED_PATH}/{{share_id:str}}/results/{{format_:str}}",
    http_method=METHODS,
    summary="Download a share's results",
    tags=TAGS,
)
async def results(
    request: Request, callers: AllCallers, share_id: FromPath[str], format_: FromPath[Format]
) -> Response[bytes]:
    """The results of the job of a share that was opened, as a file."""
    client, token = _opened(request, callers, share_id)
    return await results_file(request, client, await client.get_job(token.job_id), format_)


@route(
    f"{SHARED_PATH}/{{share_id:str}}/audio",
    http_method=METHODS,
    summary="Download a share's audio",
    tags=TAGS,
)
async def audio(
    request: Request, callers: AllCallers, share_id: FromPath[str]
) -> Response[bytes] | Stream:
    """The audio of the job of a share that was opened, or the part that `Range` names."""
    client, token = _opened(request, callers, share_id)
    return await audio_file(request, client, token.job_id)


@get(f"{SHARED_PATH}/{{share_id:str}}/waveform", summary="Get a share's waveform", tags=TAGS)
async def waveform(
    request: Request, callers: AllCallers, share_id: FromPath[str]
) -> Response[common.Waveform]:
    """The waveform of the job of a share that was opened, where the share gives its audio."""
    client, token = _opened(request, callers, share_id)
    return await waveform_of(request, client, token.job_id)


def _opened(request: Request, callers: Callers, share_id: str) -> tuple[Client, ShareToken]:
    """The client that acts for who has opened a share, and the share's token.

    Raises:
        StageError: UNAUTHENTICATED with CREDENTIALS_INVALID: the share was not opened.
    """
    opened = callers.cookies.share_of(request)
    token = _known(parse_token(opened.token) if opened else None)
    if token.share_id != share_id:
        raise _unknown()
    return callers.acting(request, token=token.text), token


def _known(token: ShareToken | None) -> ShareToken:
    if token is None:
        raise _unknown()
    return token


def _unknown() -> StageError:
    return StageError(Code.UNAUTHENTICATED, Reason.CREDENTIALS_INVALID, UNKNOWN)
