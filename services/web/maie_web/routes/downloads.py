"""Results and recordings as files."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

from litestar import HttpMethod, Request, Response
from litestar.background_tasks import BackgroundTask
from litestar.params import FromPath
from litestar.response import Stream

from maie.job.v1 import job_pb2 as job
from maie_client import Client
from maie_client.template_of_job import template_of
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_formats.writers import SPEAKER_FORMATS, TRANSCRIPT_FORMATS, Finished, written
from maie_pipeline.states import FINAL_STATES
from maie_web.callers import CallersClient
from maie_web.downloads.attachments import disposition, result_name
from maie_web.downloads.media_types import HEAD_BYTES, RESULTS, media_type_of
from maie_web.downloads.ranges import UnsatisfiableError, is_known, part_of
from maie_web.handlers import route
from maie_web.routes.revisions import AskedRevision

TAGS = ["jobs"]
Format = Literal["txt", "md", "json", "srt", "vtt", "tsv", "rttm", "docx", "pdf"]
# Only who may read a job may keep its files, and asks each time whether they are the newest. What
# they are is in Content-Type, and not for browsers to guess.
HEADERS = {"cache-control": "private, no-cache", "x-content-type-options": "nosniff"}


@route(
    "/v1/jobs/{job_id:str}/results/{format_:str}",
    http_method=[HttpMethod.GET, HttpMethod.HEAD],
    summary="Download results",
    tags=TAGS,
)
async def results(
    request: Request,
    client: CallersClient,
    job_id: FromPath[str],
    format_: FromPath[Format],
    revision: AskedRevision = None,
) -> Response[bytes]:
    """The results of a job that has ended, as a file. A failed job has what could be made."""
    return await results_file(request, client, await client.get_job(job_id, revision), format_)


async def results_file(
    request: Request, client: Client, done: job.Job, format_: Format
) -> Response[bytes]:
    """A job's results as a file.

    Raises:
        StageError: FAILED_PRECONDITION with RESULTS_NOT_READY or RESULTS_MISSING.
    """
    template = await template_of(client, done)
    finished = Finished(job=done, name=done.display_name or done.job_id, template=template)
    _check_available(finished, format_)
    content = await asyncio.to_thread(written, finished, format_)
    return made_file(request, content, RESULTS[format_], format_, done)


def made_file(
    request: Request,
    content: bytes,
    media_type: str,
    extension: str,
    done: job.Job,
    own: Mapping[str, str] | None = None,
) -> Response[bytes]:
    """A file that was made of a job, to be kept, unless the client has it.

    Args:
        request: The request.
        content: The file's content.
        media_type: Its media type.
        extension: What its name ends with.
        done: The job.
        own: Further headers.
    """
    etag = f'"{hashlib.sha256(content).hexdigest()}"'
    headers = HEADERS | {
        "etag": etag,
        "content-type": media_type,
        "content-disposition": disposition("attachment", result_name(done, extension)),
        **(own or {}),
    }
    if is_known(request.headers, etag):
        return Response(b"", status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(content, headers=headers)


@route(
    "/v1/jobs/{job_id:str}/audio",
    http_method=[HttpMethod.GET, HttpMethod.HEAD],
    summary="Download the audio",
    tags=TAGS,
)
async def audio(
    request: Request, client: CallersClient, job_id: FromPath[str]
) -> Response[bytes] | Stream:
    """The audio of a job as it is stored, or the part that `Range` names."""
    return await audio_file(request, client, job_id)


@route(
    "/v1/jobs/{job_id:str}/digest",
    http_method=[HttpMethod.GET, HttpMethod.HEAD],
    summary="Download the summary as speech",
    tags=TAGS,
)
async def digest(
    request: Request, client: CallersClient, job_id: FromPath[str]
) -> Response[bytes] | Stream:
    """The summary of a job as speech, or the part that `Range` names."""
    return await audio_file(request, client, job_id, digest=True)


async def audio_file(
    request: Request, client: Client, job_id: str, *, digest: bool = False
) -> Response[bytes] | Stream:
    """A job's audio, or its summary as speech; or the part that a request asks for."""
    stored = await _stored_audio(client, job_id, digest=digest)
    etag = f'"{stored.info.sha256}"'
    headers = HEADERS | {
        "etag": etag,
        "accept-ranges": "bytes",
        "content-type": stored.media_type,
        "content-disposition": disposition("inline", stored.info.filename or job_id),
    }
    size = stored.info.size_bytes
    if is_known(request.headers, etag):
        return Response(b"", status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    if request.method == HttpMethod.HEAD:  # Range is for GET alone
        return Response(b"", headers=headers | {"content-length": str(size)})
    try:
        part = part_of(request.headers, size, etag)
    except UnsatisfiableError:
        headers |= {"content-range": f"bytes */{size}"}
        status = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
        return Response(b"", status_code=status, headers=headers)
    status = HTTPStatus.OK
    if part is not None:
        status = HTTPStatus.PARTIAL_CONTENT
        headers |= {"content-range": part.content_range(size)}
    start, length = (part.start, part.size) if part else (0, size)
    content = _bytes(client, job_id, start, length, digest=digest)
    return Stream(
        content,
        status_code=status,
        headers=headers | {"content-length": str(length)},
        background=BackgroundTask(content.aclose),
    )


@dataclass(kw_only=True, frozen=True, slots=True)
class _StoredAudio:
    info: job.AudioInfo
    media_type: str


async def _stored_audio(client: Client, job_id: str, *, digest: bool) -> _StoredAudio:
    info, head = job.AudioInfo(), b""
    asked = client.get_audio(job_id, max_bytes=HEAD_BYTES, digest=digest)
    async with aclosing(asked) as parts:
        async for part in parts:
            if part.HasField("info"):
                info = part.info
            head += part.audio
    return _StoredAudio(info=info, media_type=media_type_of(head))


async def _bytes(
    client: Client, job_id: str, start: int, size: int, *, digest: bool
) -> AsyncGenerator[bytes, None]:
    """A part of the audio; the last bytes only once the whole is known to be what was stored."""
    last = b""
    asked = client.get_audio(job_id, start_byte=start, max_bytes=size, digest=digest)
    async with aclosing(asked) as parts:
        async for part in parts:
            if last:
                yield last
            last = part.audio
    yield last


def check_ended(done: job.Job) -> None:
    """Refuses files of a job that runs.

    Raises:
        StageError: FAILED_PRECONDITION with RESULTS_NOT_READY.
    """
    if done.state not in FINAL_STATES:
        raise StageError(
            Code.FAILED_PRECONDITION,
            Reason.RESULTS_NOT_READY,
            f"Job {done.job_id} runs; download its results when it has ended.",
        )


def _check_available(finished: Finished, format_: str) -> None:
    done = finished.job
    check_ended(done)
    if format_ == "json":
        return
    if not finished.is_readable:
        why = done.failures[0].message if done.failures else "It was cancelled; retry it."
        raise missing(f"Job {done.job_id} ended without results. {why}")
    if format_ in TRANSCRIPT_FORMATS and not finished.is_transcribed:
        raise missing(f"Job {done.job_id} was not asked for a transcript; download md or json.")
    if format_ in SPEAKER_FORMATS and not finished.has_speakers:
        raise missing(
            f"Job {done.job_id} was not asked who speaks; process the recording again with the "
            "feature speakers."
        )


def missing(sentence: str) -> StageError:
    """The error of a job that has ended without what is asked for."""
    return StageError(Code.FAILED_PRECONDITION, Reason.RESULTS_MISSING, sentence)
