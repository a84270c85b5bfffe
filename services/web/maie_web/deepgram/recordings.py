"""Recordings in, and their text out, as Deepgram's clients ask for it."""

from __future__ import annotations

import json
from contextlib import aclosing
from http import HTTPStatus
from typing import Any

from litestar import Request, Response, post

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_client import Client
from maie_core.errors import invalid
from maie_core.limits import MAX_RECORDING_URL_CHARACTERS
from maie_core.reasons import Reason
from maie_web.callers import CallersClient
from maie_web.deepgram.answers import answer
from maie_web.deepgram.documentation import ListenOperation
from maie_web.deepgram.errors import REQUEST_ID
from maie_web.deepgram.options import LABELS, RecordingOptions, options_of
from maie_web.one_off import OneOffJob, unless_left
from maie_web.uploads import lingering

# A URL, each of whose characters JSON may write as six bytes.
MOST_BODY_BYTES = 6 * MAX_RECORDING_URL_CHARACTERS + 100


@post(
    "/v1/listen",
    summary="Transcribe a recording",
    tags=["Deepgram"],
    status_code=HTTPStatus.OK,
    operation_class=ListenOperation,
    request_max_body_size=None,
)
async def listen(request: Request, client: CallersClient) -> Response[Any]:
    """Takes a recording as the body, or its URL in JSON, and answers with its text.

    A client that leaves before the answer cancels the work.
    """
    async with lingering(request):
        asked = options_of(RecordingOptions, request.query_params.dict())
        asked.check(await client.list_models(common.STAGE_ASR))
        if request.headers.get("content-type", "").startswith("application/json"):
            url = await _url_of(request)
            accepted = await unless_left(request, client.fetch(config_of(asked), url))
        else:
            accepted = await client.upload(config_of(asked), request.stream())
    work = OneOffJob(client, accepted.job_id, store=asked.store)
    try:
        finished, sha256 = await unless_left(request, _finished(client, work))
    finally:
        await work.end()
    return Response(answer(finished, asked, sha256), headers={REQUEST_ID: work.job_id})


async def _url_of(request: Request) -> str:
    """The URL of a recording, `{"url": ...}`.

    Raises:
        StageError: INVALID_ARGUMENT with REQUEST_UNREADABLE or REQUEST_TOO_LARGE.
    """
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BODY_BYTES:
            raise invalid(
                Reason.REQUEST_TOO_LARGE,
                f"The request has more than {MOST_BODY_BYTES} bytes of JSON; send the recording "
                "with its own content type, or its URL alone.",
            )
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        parsed = None
    match parsed:
        case {"url": str(url), **others} if not others:
            return url
    raise invalid(
        Reason.REQUEST_UNREADABLE,
        'The request is no JSON object with a URL and nothing else; send {"url": "https://..."}.',
        field="url",
    )


async def _finished(client: Client, work: OneOffJob) -> tuple[job.Job, str]:
    """The finished job, and the SHA-256 of its recording."""
    finished = await work.finished()
    async with aclosing(client.get_audio(work.job_id, max_bytes=1)) as parts:
        first = await anext(parts)
    return finished, first.info.sha256


def config_of(asked: RecordingOptions) -> job.JobConfig:
    """The job for a recording."""
    split, mix = preprocess.CHANNEL_MODE_SPLIT, preprocess.CHANNEL_MODE_MIX
    punctuated = asked.is_punctuated
    text = job.FEATURE_CLEAN_TRANSCRIPT if punctuated else job.FEATURE_RAW_TRANSCRIPT
    return job.JobConfig(
        features=[text, *([job.FEATURE_SPEAKERS] if asked.says_speakers else [])],
        asr_options=asked.asr_options(),
        recording_options=preprocess.RecordingOptions(
            channels=split if asked.multichannel else mix
        ),
        lane=job.LANE_INTERACTIVE,
        labels=LABELS,
    )
