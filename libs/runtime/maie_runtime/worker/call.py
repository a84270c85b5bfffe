"""A direct call: work whose responses are streamed to a caller."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from maie_core.errors import Code, StageError
from maie_core.failures import as_stage_error
from maie_core.reasons import Reason
from maie_runtime import folders
from maie_runtime.blobs import Blobs
from maie_runtime.worker.engine_calls import EngineCalls
from maie_runtime.worker.host import Do, Host
from maie_runtime.worker.stage import Stage, StageContext
from maie_runtime.worker.work import DIRECT, EngineHungError, Work

# How many responses a stage may be ahead of a slow caller before it waits, in its slot.
RESPONSES_AHEAD = 16


@dataclass(frozen=True, slots=True)
class _End:
    """Follows the last response.

    Attributes:
        error: The error that ended the work; None after a success.
    """

    error: StageError | None = None


async def answer(
    host: Host, stage: Stage[Any, Any], request: Any, blobs: Blobs
) -> AsyncGenerator[Any, None]:
    """Runs a stage for a caller, in a slot and with the limits of a unit.

    To stop the work, the caller closes the iterator (contextlib.aclosing). A caller who
    does not read for as long as a stage's stall limit loses the slot.

    Raises:
        StageError: As `Host.call`; DEADLINE_EXCEEDED with CALLER_STALLED.
    """
    call_id = str(uuid4())
    work = Work(job_id=f"direct-{call_id}", unit=DIRECT, engine_calls=EngineCalls(host.tracer))
    responses: asyncio.Queue[Any] = asyncio.Queue()
    room = asyncio.Semaphore(RESPONSES_AHEAD)

    async def do(heartbeat: Callable[[], None]) -> None:
        context = StageContext(
            job_id=work.job_id,
            unit=work.unit,
            attempt=work.attempt,
            blobs=blobs,
            folder=folders.of_direct_call(call_id),
            heartbeat=heartbeat,
        )
        async with aclosing(stage.run(request, context)) as produced:
            async for response in produced:
                heartbeat()
                await room.acquire()
                heartbeat()
                responses.put_nowait(response)

    async def run() -> None:
        error = await _error_of(host, work, do)
        unread = error is not None and error.reason is Reason.STALLED and room.locked()
        responses.put_nowait(_End(_caller_stalled() if unread else error))

    running = asyncio.create_task(run())
    try:
        while not isinstance(response := await responses.get(), _End):
            room.release()
            yield response
        if response.error is not None:
            raise response.error
    finally:
        running.cancel()
        # Only once: after a second cancellation it no longer waits for a hung engine.
        await asyncio.wait({running})


async def _error_of(host: Host, work: Work, do: Do) -> StageError | None:
    try:
        await host.call(work, do)
    except EngineHungError:
        return StageError(
            Code.UNAVAILABLE, Reason.WORKER_STOPS, "The worker stops; try again with another one."
        )
    except Exception as raised:  # noqa: BLE001 - the caller gets it as a status
        return as_stage_error(raised)
    return None


def _caller_stalled() -> StageError:
    return StageError(
        Code.DEADLINE_EXCEEDED,
        Reason.CALLER_STALLED,
        "The responses were not read, and others wait for the slot; read them as they come.",
    )
