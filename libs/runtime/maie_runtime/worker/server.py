"""Runs a stage service from start to drain."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    aclosing,
    asynccontextmanager,
    suppress,
)
from functools import partial
from importlib.metadata import version
from typing import Any

import structlog

from maie.event.v1 import event_pb2 as event
from maie_core.errors import StageError
from maie_core.metrics import is_on, open_metrics
from maie_core.settings import ServiceSettings
from maie_core.telemetry import configure_logging
from maie_core.tracing import open_tracing
from maie_core.unknown_variables import warn_of_unknown_variables
from maie_pipeline.bindings import BINDINGS, StageBinding
from maie_runtime.background import background_tasks
from maie_runtime.blobs import Blobs
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import open_broker
from maie_runtime.bus.credentials import credentials_of
from maie_runtime.bus.presence import instance_name, present
from maie_runtime.bus.rights import GATEWAY
from maie_runtime.bus.task_worker import TaskWorker
from maie_runtime.bus.wait_for_streams import wait_for_streams
from maie_runtime.bus.worker_vault import WorkerVault
from maie_runtime.failpoints import warn_of_failpoints
from maie_runtime.gpu.residency import open_residency
from maie_runtime.loop_lag import measure_loop_lag
from maie_runtime.worker.activity import Activity
from maie_runtime.worker.front import Front
from maie_runtime.worker.host import Host, end_process, log_context
from maie_runtime.worker.malloc import give_back_memory, limit_arenas
from maie_runtime.worker.metrics import WorkMetrics, observe_worker
from maie_runtime.worker.stage import OffersStreams, Stage, Streams, readiness_of
from maie_runtime.worker.unit import UnitRunner

log = structlog.get_logger()

# How long calls are still answered once the engine hangs.
FAREWELL_SECONDS = 1.0

StageOpener = Callable[[Blobs], AbstractAsyncContextManager[Stage[Any, Any]]]


def run_service(slug: str, settings: ServiceSettings, open_stage: StageOpener) -> None:
    """Runs a stage service until SIGTERM or SIGINT.

    Exits with status 1 and one sentence if the service cannot start.

    Args:
        slug: The stage's name in `BINDINGS`.
        settings: The service's settings.
        open_stage: Loads the engine and yields the stage; left on shutdown.
    """
    configure_logging(settings.mesh, slug)
    warn_of_unknown_variables((GATEWAY, *BINDINGS))
    try:
        settings.check()
        warn_of_failpoints()
        run_until_signal(_run(BINDINGS[slug], settings, open_stage))
    except (StageError, RuntimeError, ValueError) as error:
        log.error("service.failed", error=str(error), reason=getattr(error, "reason", ""))
        sys.exit(1)


def run_until_signal(serving: Coroutine[Any, Any, None]) -> None:
    """Runs until SIGTERM or SIGINT cancels it; a second signal aborts the drain."""

    async def main() -> None:
        task = asyncio.create_task(serving)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, task.cancel)
        with suppress(asyncio.CancelledError):
            await task
        log.info("service.stopped")

    limit_arenas()
    asyncio.run(main())


async def _run(binding: StageBinding, settings: ServiceSettings, open_stage: StageOpener) -> None:
    async with (
        serve_stage(binding, settings, open_stage) as address,
        background_tasks(give_back_memory()),
    ):
        # The objects so far are permanent. Garbage collection among them would stop all units for
        # 40 ms, and much longer with a large engine; weights are freed explicitly, not as garbage.
        gc.freeze()
        log.info("service.ready", address=address)
        await asyncio.Future()


@asynccontextmanager
async def serve_stage(
    binding: StageBinding, settings: ServiceSettings, open_stage: StageOpener
) -> AsyncIterator[str]:
    """Runs a stage service that answers gRPC and pulls units; yields its address, if any.

    Health reports NOT_SERVING at once; the service takes work when model
    and broker are ready. It drains in this order: NOT_SERVING, no more units, the
    running calls and units, the engine, NATS.
    """
    vault = WorkerVault(binding.slug)
    grace = settings.mesh.shutdown_grace_seconds
    instance = settings.instance or instance_name(binding.slug)
    async with AsyncExitStack() as stack:
        tracers = await stack.enter_async_context(
            open_tracing(service=binding.slug, instance=instance, version=_version(binding))
        )
        tracer = tracers.get_tracer("maie_runtime", _version(binding))
        meters = await stack.enter_async_context(
            open_metrics(
                settings.mesh, service=binding.slug, instance=instance, version=_version(binding)
            )
        )
        meter = meters.get_meter("maie_runtime", _version(binding))
        blobs = Blobs(settings.mesh.blob_url, vault, meter, tracer)
        front = Front(binding, settings, blobs, meter, tracer)
        await stack.enter_async_context(front.open(grace))
        if is_on(meter):
            await stack.enter_async_context(background_tasks(measure_loop_lag(meter)))
        broker = await stack.enter_async_context(
            open_broker(
                settings.mesh.nats_url,
                instance,
                inbox=subjects.inbox(binding.slug),
                meter=meter,
                tracer=tracer,
                credentials=credentials_of(settings.mesh),
            )
        )
        vault.connect(broker.client)
        broker.vault = vault
        await wait_for_streams(broker.client, binding.slug, settings.shared_gpu)
        residency = await stack.enter_async_context(
            open_residency(settings, broker, instance, end_process)
        )
        async with residency.use():
            async with residency.memory.loading(gpu=settings.shared_gpu):
                stage = await stack.enter_async_context(open_stage(blobs))
            residency.manage(stage)
            # While its model is loaded, since the model provides the version.
            streams = stage.streams if isinstance(stage, OffersStreams) else None
            info = _worker_info(binding, settings, stage, streams, instance, front.address)
        # Before the stage ends, since it unloads the stage's model.
        stack.push_async_callback(residency.close)
        metrics = WorkMetrics(binding.slug, meter)
        observe_worker(meter, binding.slug, settings.slots, stage, residency.memory, streams)
        activity = Activity(streams)
        measuring = (metrics.around,) if is_on(meter) else ()
        around = (log_context, activity.around, *measuring)
        host = Host(settings=settings, residency=residency, interceptors=around, tracer=tracer)
        front.serve(stage, host, streams)
        runner = UnitRunner(
            binding=binding,
            stage=stage,
            broker=broker,
            blobs=blobs,
            worker=instance,
            metrics=metrics,
        )
        consumer = TaskWorker(
            binding=binding,
            runner=runner,
            broker=broker,
            settings=settings,
            host=host,
            metrics=metrics,
            tracer=tracer,
            vault=vault,
        )
        await consumer.start()
        memory = partial(residency.memory.report, settings.shared_gpu)

        def refresh(entry: event.WorkerInfo) -> bool:
            errors = event.PartErrors(
                calls=front.faults.number,
                units=consumer.faults.number,
                broker=broker.faults.number,
                store=blobs.faults.number,
            )
            changed = activity.fill(entry) or entry.errors != errors
            entry.errors.CopyFrom(errors)
            return changed

        await stack.enter_async_context(present(broker, binding.slug, info, memory, refresh))
        await front.set_serving(True)
        if streams is not None:
            await stack.enter_async_context(background_tasks(_leave_hung(streams, front, host)))
        try:
            # It ends before the drain, which has the last word on health.
            async with background_tasks(_follow(stage, front, host)):
                yield front.address
        finally:
            await front.set_serving(False)
            if streams is not None:
                await streams.drain()
            await asyncio.gather(consumer.stop(grace), front.stop(grace))


async def _follow(stage: Stage[Any, Any], front: Front, host: Host) -> None:
    """Takes no units, and reports so, while a server that the stage needs is not ready."""
    async with aclosing(readiness_of(stage)) as changes:
        async for is_ready in changes:
            host.admits = is_ready
            await front.set_serving(is_ready)


async def _leave_hung(streams: Streams, front: Front, host: Host) -> None:
    """Ends the process where the engine of streams hangs; their callers go elsewhere."""
    try:
        await streams.watch()
    except StageError as error:
        await front.stop(FAREWELL_SECONDS)
        await host.leave(error)


def _version(binding: StageBinding) -> str:
    return version(binding.distribution or f"maie-{binding.slug}")


def _worker_info(
    binding: StageBinding,
    settings: ServiceSettings,
    stage: Stage[Any, Any],
    streams: Streams | None,
    instance: str,
    address: str,
) -> event.WorkerInfo:
    info = event.WorkerInfo(
        stage=binding.stage,
        instance=instance,
        address=address and (settings.advertise or address),
        version=_version(binding),
        slots=settings.slots,
        models=stage.models(),
        live_tracks=streams.limit if streams else 0,
    )
    info.start_time.GetCurrentTime()
    return info
