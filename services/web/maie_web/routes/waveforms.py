"""The waveforms of jobs' recordings."""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from typing import Any

from litestar import Request, Response
from litestar.params import FromPath

from maie.common.v1 import types_pb2 as common
from maie_client import Client
from maie_web.callers import CallersClient
from maie_web.downloads.ranges import is_known
from maie_web.handlers import get
from maie_web.routes.jobs import TAGS

# It never changes while its job is there, so for a day nobody asks for it again.
CACHING = {"cache-control": "private, max-age=86400, immutable"}


@get("/v1/jobs/{job_id:str}/waveform", summary="Get a job's waveform", tags=TAGS)
async def waveform(
    request: Request, client: CallersClient, job_id: FromPath[str]
) -> Response[common.Waveform]:
    """How loud a job's recording is from its beginning to its end, for who draws it."""
    return await waveform_of(request, client, job_id)


async def waveform_of(request: Request, client: Client, job_id: str) -> Response[Any]:
    """A job's waveform, unless who asks has it."""
    found = await client.get_waveform(job_id)
    headers = CACHING | {"etag": f'"{hashlib.sha256(found.peaks).hexdigest()}"'}
    if is_known(request.headers, headers["etag"]):
        return Response(b"", status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(found, headers=headers)
