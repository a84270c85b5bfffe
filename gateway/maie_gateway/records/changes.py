"""The unfinished jobs, and the listeners for changes of jobs."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict, defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import record_pb2 as record
from maie_core.errors import StageError
from maie_core.reasons import Reason
from maie_gateway.conductor import (
    FINAL_STATES,
    has_optional_done,
    has_optional_units_alone,
    is_audio_due,
    is_live,
    lane,
    runnable_units,
)
from maie_gateway.records.buckets import follow_bucket
from maie_gateway.records.journal import StoredRecord
from maie_gateway.records.store import JobStore
from maie_runtime.background import background_tasks
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.unreadable import Unreadable, dead_letter
from maie_runtime.bus.watch import Entry

Listener = Callable[[], None]


class Follower(Protocol):
    """Is notified of every record, with its revision. Its methods must not block."""

    def replay_begun(self) -> None:
        """The watch begins: the current records of all jobs follow."""

    def changed(self, seen: record.JobRecord, revision: int) -> None:
        """A job's record changed; may be called twice for one revision."""

    def gone(self, job_id: str, revision: int) -> None:
        """A job's record was removed; called twice where this gateway removed it."""

    def replay_ended(self) -> None:
        """All records have arrived; jobs without one were removed."""


# How many recent records are cached, so that they need not be read for each event.
RECENT_RECORDS = 256


@dataclass(kw_only=True, frozen=True, slots=True)
class ActiveJob:
    """Facts about an unfinished job.

    Attributes:
        tenant: The job's tenant.
        lane: The lane of its tasks.
        held: Whether it waits for its tenant's fair share.
        live: Whether it is a live session that still runs: it takes no place of a job's.
        audio_due: Whether it is a live session whose audio is to be put together.
        runnable: The units that could run at once, by stage.
        revision: The last seen revision of its record; 0 where unknown.
        since: When that revision was first seen, by the monotonic clock.
        optional_since: Since when the job waits for optional units alone, by the same clock; None
            where it does not.
        optional_done: Whether some of these units have their results.
    """

    tenant: str
    lane: str
    held: bool
    live: bool
    audio_due: bool
    runnable: Mapping[common.Stage, int]
    revision: int
    since: float
    optional_since: float | None = None
    optional_done: bool = False

    @property
    def is_counted(self) -> bool:
        """Whether it counts against limits.

        A live session that runs does not, nor does a job that has all that it was asked for.
        """
        return not self.live and self.optional_since is None


class JobChanges:
    """Follows the bucket of job records over a single watch.

    It keeps a few facts about each unfinished job, and the records that changed last.

    Args:
        broker: The broker.
        followers: Notified of all records.
    """

    def __init__(self, broker: Broker, followers: Sequence[Follower] = ()) -> None:
        self._broker = broker
        self._store = JobStore(broker)
        self._followers = followers
        self._active: dict[str, ActiveJob] = {}
        self._recent: OrderedDict[str, StoredRecord] = OrderedDict()
        self._active_listeners: set[Listener] = set()
        self._listeners: defaultdict[str, set[Listener]] = defaultdict(set)
        self._unreadable: asyncio.Queue[Unreadable] = asyncio.Queue()
        self._complete = asyncio.Event()

    @property
    def active(self) -> frozenset[str]:
        """The ids of the jobs that are not finished."""
        return frozenset(self._active)

    @property
    def active_jobs(self) -> Mapping[str, ActiveJob]:
        """The jobs that are not finished, by id; a live view."""
        return MappingProxyType(self._active)

    @property
    def counted_jobs(self) -> Mapping[str, ActiveJob]:
        """The unfinished jobs that count against limits; see `ActiveJob.is_counted`."""
        return {job_id: each for job_id, each in self._active.items() if each.is_counted}

    def demand(self) -> Mapping[tuple[common.Stage, str], int]:
        """The units of all jobs that could run at once, by stage and lane; any thread may ask."""
        demand: Counter[tuple[common.Stage, str]] = Counter()
        # A copy, since the loop's thread may add jobs meanwhile.
        for each in tuple(self._active.values()):
            for stage, count in each.runnable.items():
                demand[stage, each.lane] += count
        return demand

    def recent(self, job_id: str) -> StoredRecord | None:
        """A job's cached record; None where none is cached.

        Another gateway may have changed the record since: compare-and-set detects
        that. Before you decide that nothing is to be done, read the stored record.
        """
        return self._recent.get(job_id)

    def note(self, stored: StoredRecord) -> None:
        """Updates the state from a record that was read or written, and notifies listeners.

        Args:
            stored: The record. One older than the known one, which may come late over the
                watch, changes nothing; its revision is 0 before it is stored.
        """
        seen, revision = stored.record, stored.revision
        known = self._active.get(seen.job_id)
        if known is None or not 0 < revision < known.revision:
            if seen.state in FINAL_STATES:
                self.forget(seen.job_id)
            else:
                self._keep(seen, revision)
        self._remember(stored)
        for follower in self._followers if revision else ():
            follower.changed(seen, revision)
        for listener in tuple(self._listeners.get(seen.job_id, ())):
            listener()

    def note_gone(self, job_id: str, revision: int) -> None:
        """Forgets a removed job, and notifies followers.

        Args:
            job_id: The job.
            revision: The revision of the removal.
        """
        self.forget(job_id)
        self._recent.pop(job_id, None)
        for follower in self._followers:
            follower.gone(job_id, revision)

    def _remember(self, stored: StoredRecord) -> None:
        job_id = stored.record.job_id
        known = self._recent.get(job_id)
        if stored.revision and (known is None or stored.revision >= known.revision):
            self._recent[job_id] = stored
            self._recent.move_to_end(job_id)
            if len(self._recent) > RECENT_RECORDS:
                self._recent.popitem(last=False)

    def _knows(self, job_id: str, revision: int) -> bool:
        """Whether this revision is known already, as where this gateway wrote it."""
        known = self._recent.get(job_id)
        return known is not None and revision <= known.revision

    @contextmanager
    def expected(self, new: record.JobRecord) -> Iterator[None]:
        """Counts a job as active from before its creation; no longer if the creation fails."""
        if new.job_id not in self._active:
            self.note(StoredRecord(record=new, revision=0))
        try:
            yield
        except BaseException:
            known = self._active.get(new.job_id)
            if known is not None and not known.revision:  # otherwise another gateway created it
                self.forget(new.job_id)
            raise

    def forget(self, job_id: str) -> None:
        """Counts a job as finished, or as never begun."""
        if self._active.pop(job_id, None) is not None:
            self._notify_active()

    def _keep(self, seen: record.JobRecord, revision: int) -> None:
        known = self._active.get(seen.job_id)
        revision = revision or (known.revision if known else 0)
        now = time.monotonic()
        since = known.since if known and known.revision == revision else now
        waited = known.optional_since if known and known.optional_since is not None else now
        kept = ActiveJob(
            tenant=seen.tenant,
            lane=lane(seen),
            held=seen.held,
            live=is_live(seen),
            audio_due=is_audio_due(seen),
            runnable=runnable_units(seen),
            revision=revision,
            since=since,
            optional_since=waited if has_optional_units_alone(seen) else None,
            optional_done=has_optional_done(seen),
        )
        self._active[seen.job_id] = kept
        if known is None or (known.held, known.is_counted) != (kept.held, kept.is_counted):
            self._notify_active()

    def _notify_active(self) -> None:
        for listener in tuple(self._active_listeners):
            listener()

    @contextmanager
    def subscribe_active(self, listener: Listener) -> Iterator[None]:
        """Calls `listener` whenever a job begins, is released, counts no longer or ends."""
        self._active_listeners.add(listener)
        try:
            yield
        finally:
            self._active_listeners.discard(listener)

    def notify_all(self) -> None:
        """Notifies all listeners of all jobs."""
        for listeners in tuple(self._listeners.values()):
            for listener in tuple(listeners):
                listener()

    @contextmanager
    def subscribe(self, job_id: str, listener: Listener) -> Iterator[None]:
        """Calls `listener` at each change of a job's record while the context lasts."""
        self._listeners[job_id].add(listener)
        try:
            yield
        finally:
            self._listeners[job_id].discard(listener)
            if not self._listeners[job_id]:
                del self._listeners[job_id]

    @asynccontextmanager
    async def follow(self) -> AsyncIterator[None]:
        """Follows the bucket; begins once all records have been seen."""
        following = follow_bucket(self._broker, subjects.JOBS, self._replay_begun, self._received)
        async with background_tasks(following, self._dead_letter()):
            await self._complete.wait()
            yield

    async def _replay_begun(self) -> None:
        await self._store.prefetch()
        # So that followers are notified of every record in the replay.
        self._recent.clear()
        for follower in self._followers:
            follower.replay_begun()

    async def _received(self, entry: Entry | None) -> None:
        if entry is None:
            self._store.forget_prefetched()
            self._complete.set()
            for follower in self._followers:
                follower.replay_ended()
        elif entry.value is None:
            self.note_gone(entry.key, entry.revision)
        elif not self._knows(entry.key, entry.revision):
            await self._take_in(entry)

    async def _take_in(self, entry: Entry) -> None:
        try:
            seen = await self._store.follow(self._recent.get(entry.key), entry)
        except StageError as error:
            match error.reason:
                case Reason.RECORD_CORRUPT:
                    self._pass_over(entry.key, entry.revision)
                case Reason.JOB_NOT_FOUND:
                    pass  # its removal follows
                case _:
                    raise
            return
        if not self._knows(entry.key, seen.revision):  # it may have been noted meanwhile
            self.note(seen)

    def _pass_over(self, job_id: str, revision: int) -> None:
        """Skips an unreadable record and dead-letters it, so that it does not block the others."""
        self.forget(job_id)
        self._recent.pop(job_id, None)
        self._unreadable.put_nowait(Unreadable(kind="record", job_id=job_id, place=revision))

    async def _dead_letter(self) -> None:
        while True:
            await dead_letter(self._broker, await self._unreadable.get())
