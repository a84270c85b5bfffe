"""Recordings in, and their text out, as OpenAI's clients ask for it."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from http import HTTPStatus
from typing import Any

from litestar import Request, Response, post
from litestar.background_tasks import BackgroundTask
from litestar.response import Stream

from maie.catalog.v1 import catalog_pb2 as catalog
from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie_client import Client, ClientError
from maie_core.errors import StageError
from maie_web.callers import CallersClient
from maie_web.one_off import OneOffJob, completed, unless_left
from maie_web.openai import forms
from maie_web.openai.answers import answer, text_of
from maie_web.openai.deltas import Deltas
from maie_web.openai.documentation import TranscriptionOperation, TranslationOperation
from maie_web.openai.errors import stream_error
from maie_web.openai.forms import Asked
from maie_web.openai.models import TAGS
from maie_web.uploads import form_of, submit

REQUEST_ID = "x-request-id"
"""The header that OpenAI's clients show as `_request_id`; here it is the job's id."""

Read = Callable[[Mapping[str, Sequence[str]], str, Sequence[catalog.Model]], Asked]


@post(
    "/v1/audio/transcriptions",
    summary="Transcribe a recording",
    tags=TAGS,
    status_code=HTTPStatus.OK,
    operation_class=TranscriptionOperation,
    request_max_body_size=None,
)
async def transcriptions(request: Request, client: CallersClient) -> Response[Any]:
    """Takes a recording, and answers with its text.

    A client that leaves before the answer cancels the work.
    """
    return await _transcribe(request, client, forms.transcription)


@post(
    "/v1/audio/translations",
    summary="Translate a recording into English",
    tags=TAGS,
    status_code=HTTPStatus.OK,
    operation_class=TranslationOperation,
    request_max_body_size=None,
)
async def translations(request: Request, client: CallersClient) -> Response[Any]:
    """Takes a recording, and answers with its text in English."""
    return await _transcribe(request, client, forms.translation)


async def _transcribe(request: Request, client: Client, read: Read) -> Response[Any]:
    async with form_of(request) as form:
        models = await client.list_models(common.STAGE_ASR)

        def config(whole: bool) -> job.JobConfig:
            if not whole and "model" not in form.fields:
                return forms.not_known_yet(form.filename)
            return read(form.fields, form.filename, models).config

        accepted = await submit(client, form, config)
    asked = read(form.fields, form.filename, models)
    work = OneOffJob(client, accepted.job_id, store=asked.store)
    headers = {REQUEST_ID: work.job_id}
    if asked.stream:
        return Stream(
            _events(work, asked),
            media_type="text/event-stream",
            headers=headers | {"cache-control": "no-cache"},
            # A client that has left already never starts the stream.
            background=BackgroundTask(work.end),
        )
    try:
        finished = await unless_left(request, work.finished())
    finally:
        await work.end()
    return answer(finished, asked, headers)


async def _events(work: OneOffJob, asked: Asked) -> AsyncGenerator[bytes, None]:
    deltas = Deltas(asked.config)
    try:
        async with aclosing(work.events()) as events:
            async for event in events:
                if event.HasField("finished"):
                    completed(event.finished.job)
                for delta in deltas.of(event):
                    yield _sent({"type": "transcript.text.delta", "delta": delta})
                if event.HasField("finished"):
                    text = text_of(event.finished.job.results)
                    await work.end()  # nothing is left when a client has the last event
                    yield _sent({"type": "transcript.text.done", "text": text})
    except (ClientError, StageError) as error:
        await work.end()
        yield _sent(stream_error(error))
    finally:
        await work.end()


def _sent(event: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(event, ensure_ascii=False)}\n\n".encode()
