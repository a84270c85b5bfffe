"""Wires the parts that run jobs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from maie_gateway.conductor import Policy
from maie_gateway.engine.fair_share import FairShare
from maie_gateway.engine.job_metrics import JobMetrics
from maie_gateway.engine.loop import Complete, Conductor, Follow, follow_nothing, leave_as_it_is
from maie_gateway.engine.optional_units import OptionalUnits
from maie_gateway.engine.reconciler import SETTLED_SECONDS, Reconciler
from maie_gateway.engine.workers import LiveWorkers
from maie_gateway.records.changes import Follower, JobChanges
from maie_gateway.records.store import JobStore
from maie_runtime.bus.broker import Broker


@dataclass(kw_only=True, frozen=True, slots=True)
class ConductingOptions:
    """Options of running jobs.

    Attributes:
        policy: The limits; the window comes from the live workers.
        max_running_jobs: The most jobs of one tenant and lane that run at once.
        reconcile_seconds: Interval between scans for stalled jobs.
        settled_seconds: How long a job must be unchanged before a scan checks it.
        optional_grace_seconds: How long a job that is done but for optional units waits for them.
    """

    policy: Policy
    max_running_jobs: int
    reconcile_seconds: float
    settled_seconds: float = SETTLED_SECONDS
    optional_grace_seconds: float = 10.0


@dataclass(kw_only=True, frozen=True, slots=True)
class Conducting:
    """What the rest of the gateway uses.

    Attributes:
        store: The job records.
        changes: The unfinished jobs and the listeners.
        conductor: Makes all changes of jobs.
        fair_share: Decides whether a new job is held.
        workers: The live workers.
    """

    store: JobStore
    changes: JobChanges
    conductor: Conductor
    fair_share: FairShare
    workers: LiveWorkers


@asynccontextmanager
async def conducting(
    broker: Broker,
    options: ConductingOptions,
    follow: Follow = follow_nothing,
    followers: Sequence[Follower] = (),
    complete: Complete = leave_as_it_is,
    metrics: JobMetrics | None = None,
) -> AsyncIterator[Conducting]:
    """Runs jobs as long as the context lasts.

    Args:
        broker: The broker.
        options: The options.
        follow: Called after each change of a record; see `Conductor`.
        followers: Notified of every record; see `JobChanges`.
        complete: Completes a task before it is published; see `Conductor`.
        metrics: Counts jobs.
    """
    store, workers = JobStore(broker), LiveWorkers(broker)
    changes = JobChanges(broker, followers)
    conductor = Conductor(
        broker,
        store,
        changes,
        options.policy,
        window=workers.window,
        follow=follow,
        complete=complete,
        metrics=metrics,
    )
    fair_share = FairShare(changes, conductor, options.max_running_jobs)
    optional_units = OptionalUnits(changes, conductor, workers, options.optional_grace_seconds)
    reconciler = Reconciler(broker, changes, conductor, options.settled_seconds)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(changes.follow())
        await stack.enter_async_context(workers.running())
        await stack.enter_async_context(conductor.running())
        await stack.enter_async_context(fair_share.running())
        await stack.enter_async_context(optional_units.running())
        await stack.enter_async_context(reconciler.running(options.reconcile_seconds))
        yield Conducting(
            store=store,
            changes=changes,
            conductor=conductor,
            fair_share=fair_share,
            workers=workers,
        )
