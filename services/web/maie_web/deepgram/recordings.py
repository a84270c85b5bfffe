"""Recordings in, and their text out, as Deepgram's clients ask for it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from hashlib import sha256
from http import HTTPStatus
from typing import Any

from litestar import Request, Response, post

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_web.callers import CallersClient
from maie_web.deepgram.answers import answer
from maie_web.deepgram.documentation import ListenOperation
from maie_web.deepgram.errors import REQUEST_ID, unsupported
from maie_web.deepgram.options import LABELS, RecordingOptions, options_of
from maie_web.one_off import OneOffJob, unless_left
from maie_web.uploads import lingering


@post(
    "/v1/listen",
    summary="Transcribe a recording",
    tags=["Deepgram"],
    status_code=HTTPStatus.OK,
    operation_class=ListenOperation,
    request_max_body_size=None,
)
async def listen(request: Request, client: CallersClient) -> Response[Any]:
    """Takes a recording as the body, and answers with its text.

    A client that leaves before the answer cancels the work.
    """
    async with lingering(request):
        if request.headers.get("content-type", "").startswith("application/json"):
            raise unsupported("url", "Recordings are not fetched from addresses; send the bytes")
        asked = options_of(RecordingOptions, request.query_params.dict())
        asked.check(await client.list_models(common.STAGE_ASR))
        body = _Hashed(request.stream())
        async with aclosing(body.pieces()) as pieces:
            accepted = await client.upload(_config(asked), pieces)
    work = OneOffJob(client, accepted.job_id, store=asked.store)
    try:
        finished = await unless_left(request, work.finished())
    finally:
        await work.end()
    headers = {REQUEST_ID: work.job_id}
    return Response(answer(finished, asked, body.hash.hexdigest()), headers=headers)


class _Hashed:
    """A body that is hashed while it passes.

    Attributes:
        hash: The hash of what has passed.
    """

    def __init__(self, body: AsyncIterator[bytes]) -> None:
        self.hash = sha256()
        self._body = body

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """The body."""
        async for piece in self._body:
            self.hash.update(piece)
            yield piece


def _config(asked: RecordingOptions) -> job.JobConfig:
    split, mix = preprocess.CHANNEL_MODE_SPLIT, preprocess.CHANNEL_MODE_MIX
    punctuated = asked.is_punctuated
    return job.JobConfig(
        features=[job.FEATURE_CLEAN_TRANSCRIPT if punctuated else job.FEATURE_RAW_TRANSCRIPT],
        asr_options=asked.asr_options(),
        recording_options=preprocess.RecordingOptions(
            channels=split if asked.multichannel else mix
        ),
        lane=job.LANE_INTERACTIVE,
        labels=LABELS,
    )
