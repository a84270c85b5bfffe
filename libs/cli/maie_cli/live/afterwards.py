"""What is made of a session after its end."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from maie.job.v1 import job_pb2 as job
from maie_cli.batch import exit_of_job
from maie_cli.console import complain, emit, note
from maie_cli.exits import Exit
from maie_client import Client
from maie_client.template_of_job import template_of
from maie_formats.as_json import to_json
from maie_formats.markdown import markdown


async def show_results(client: Client, job_id: str, *, clean: bool, as_json: bool) -> Exit:
    """Waits for a session's job, and prints what the captions did not show.

    Args:
        client: The connection.
        job_id: The session's job.
        clean: Whether a clean transcript was asked for.
        as_json: Whether to print the last event as JSON.

    Returns:
        The exit code.
    """
    try:
        finished = await _finished(client, job_id)
    except asyncio.CancelledError:
        note(f"the job goes on; follow it with: maie jobs watch {job_id}")
        raise
    done = finished.finished.job
    if as_json:
        emit(to_json(finished))
    elif done.results.HasField("summary") or clean:
        emit(await _document(client, done, clean=clean))
    code, message = exit_of_job(done)
    if message:
        complain(message)
    return code


async def _finished(client: Client, job_id: str) -> job.JobEvent:
    async with aclosing(client.watch_job(job_id)) as events:
        async for event in events:
            if event.HasField("finished"):
                return event
    raise AssertionError("a job's events end with `finished`")


async def _document(client: Client, done: job.Job, *, clean: bool) -> str:
    results = done.results
    if not clean:  # the transcript is on the screen already
        results = job.JobResults(summary=results.summary)
    template = await template_of(client, done)
    return markdown(results, done.display_name or "Live session", template)
