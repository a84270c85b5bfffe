"""What was found of a recording, as files: how its text was read, and how good it sounds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Literal

from litestar import HttpMethod, Request, Response
from litestar.params import FromPath

from maie.job.v1 import job_pb2 as job
from maie_core.durations import seconds
from maie_formats.quality.writers import QUALITY_WRITERS
from maie_formats.readings.report import ReadingReport
from maie_formats.readings.writers import READING_WRITERS
from maie_web.callers import CallersClient
from maie_web.downloads.media_types import REPORTS
from maie_web.handlers import route
from maie_web.routes.downloads import TAGS, check_ended, made_file, missing

ReadingFormat = Literal["json", "md", "TextGrid", "ctm", "html"]
QualityFormat = Literal["json", "csv", "html"]
METHODS = [HttpMethod.GET, HttpMethod.HEAD]
# A report is to be kept. Where a browser shows it here all the same, it runs nothing, loads nothing
# and has no rights of this site.
HEADERS = {"content-security-policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'"}


@route(
    "/v1/jobs/{job_id:str}/reading/{format_:str}",
    http_method=METHODS,
    summary="Download a reading",
    tags=TAGS,
)
async def reading(
    request: Request,
    client: CallersClient,
    job_id: FromPath[str],
    format_: FromPath[ReadingFormat],
) -> Response[bytes]:
    """How the text of a job with the feature `reading` was read, as a file.

    The text itself is never given: words come without its punctuation.
    """

    def write(done: job.Job, name: str) -> str:
        length = seconds(done.metrics.input_duration)
        report = ReadingReport(reading=done.results.reading, name=name, seconds=length)
        return READING_WRITERS[format_](report)

    return await _report(request, await client.get_job(job_id), "reading", format_, write)


@route(
    "/v1/jobs/{job_id:str}/quality/{format_:str}",
    http_method=METHODS,
    summary="Download the quality of the sound",
    tags=TAGS,
)
async def quality(
    request: Request,
    client: CallersClient,
    job_id: FromPath[str],
    format_: FromPath[QualityFormat],
) -> Response[bytes]:
    """How good the recording of a job sounds, as a file."""
    done = await client.get_job(job_id)
    return await _report(request, done, "quality", format_, QUALITY_WRITERS[format_])


_FIELDS = {"reading": "reading", "quality": "quality_report"}


async def _report(
    request: Request,
    done: job.Job,
    feature: str,
    format_: str,
    write: Callable[[job.Job, str], str],
) -> Response[bytes]:
    """What a feature of a job found, as a file.

    Raises:
        StageError: FAILED_PRECONDITION with RESULTS_NOT_READY or RESULTS_MISSING.
    """
    check_ended(done)
    if not done.results.HasField(_FIELDS[feature]):
        raise missing(_why(done, feature))
    name = done.display_name or done.config.filename or done.job_id
    content = await asyncio.to_thread(write, done, name)
    return made_file(
        request,
        content.encode(errors="replace"),
        REPORTS[format_],
        f"{feature}.{format_}",
        done,
        HEADERS,
    )


def _why(done: job.Job, feature: str) -> str:
    if done.failures:
        return f"Job {done.job_id} ended without it. {done.failures[0].message}"
    return (
        f"Job {done.job_id} has none; process the recording again with the feature {feature}, and "
        "wait until it is complete."
    )
