"""Waits for the streams that a worker needs and has no right to create."""

from __future__ import annotations

import asyncio

import structlog
from nats.errors import NoRespondersError
from nats.js.errors import NotFoundError

from maie_runtime.bus import subjects
from maie_runtime.bus.broker import BROKER_ERRORS, addresses
from maie_runtime.bus.direct_get import last_sequence
from maie_runtime.bus.outages import ResilientClient
from maie_runtime.bus.refusals import RefusedError, broker_refused
from maie_runtime.bus.stored_subjects import matching_subjects

log = structlog.get_logger()

LOOK_SECONDS = 0.5
REPORT_SECONDS = 10.0
HINT = "A gateway creates them when it starts, and so does `maie provision`."


async def wait_for_streams(client: ResilientClient, slug: str, gpu: str = "") -> None:
    """Returns once all streams that a worker needs exist; logs what is missing until then.

    Args:
        client: The connection.
        slug: The worker's stage.
        gpu: The name of the GPU that it shares; empty for none.

    Raises:
        StageError: FAILED_PRECONDITION with BROKER_REFUSED: NATS does not allow the worker to read
            them.
    """
    report_at = 0.0
    while problem := await _problem(client, slug, gpu):
        now = asyncio.get_running_loop().time()
        if now >= report_at:
            servers = addresses([server.geturl() for server in client.servers])
            log.warning("worker.waiting_for_streams", servers=servers, problem=problem, hint=HINT)
            report_at = now + REPORT_SECONDS
        await asyncio.sleep(LOOK_SECONDS)


async def _problem(client: ResilientClient, slug: str, gpu: str) -> str:
    """What is wrong with the streams; empty where nothing is."""
    stream = subjects.TASKS
    try:
        await last_sequence(client, stream, subjects.task(slug, "none", "none"))
        stream = subjects.RETURNS
        await matching_subjects(client, stream, subjects.returned_of_job("none"))
        if gpu:
            stream = subjects.bucket_stream(subjects.GPUS)
            key = subjects.bucket_subject(subjects.GPUS, subjects.gpu_holder(gpu))
            await last_sequence(client, stream, key)
    except RefusedError as error:
        raise broker_refused(error.subject) from error
    except (NoRespondersError, NotFoundError):
        return f"There is no {stream}, or it is of an older release."
    except BROKER_ERRORS as error:
        return f"{stream}: {str(error) or type(error).__name__}"
    return ""
