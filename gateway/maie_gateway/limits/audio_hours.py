"""How many hours of audio each tenant has had today, in the whole mesh."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from maie.job.v1 import record_pb2 as record
from maie_core.durations import seconds
from maie_core.errors import Code, StageError
from maie_core.limit_names import Limit
from maie_core.reasons import Reason
from maie_gateway.conductor import is_live
from maie_gateway.conductor.tenants import tenant_of_record
from maie_gateway.limits.callers import CallerLimits

HOUR_SECONDS = 3600.0
DAY_SECONDS = 24 * HOUR_SECONDS


@dataclass(kw_only=True, frozen=True, slots=True)
class _Running:
    """A live session that runs.

    Attributes:
        tenant: Whose it is.
        began: When, in seconds since 1970.
    """

    tenant: str
    began: float


class AudioHours:
    """Adds up the audio of each tenant's jobs of today. A follower of `JobChanges`.

    Every gateway sees the records of all jobs, so all have the same sum within the time that a
    record takes to them. A recording counts from when its length is known, on the day on which its
    job was accepted; a live session that runs counts by its time, and once it has ended by its
    length. So the jobs that are being prepared may exceed the budget. A job that was deleted
    counts on, until the gateway starts again.

    Args:
        limits: How much each tenant may have.
        clock: Gives the time in seconds since 1970.
    """

    def __init__(self, limits: CallerLimits, clock: Callable[[], float] = time.time) -> None:
        self._limits = limits
        self._clock = clock
        self._midnight = 0.0
        self._seconds_of: defaultdict[str, dict[str, float]] = defaultdict(dict)
        self._running: dict[str, _Running] = {}

    def check(self, tenant: str) -> None:
        """Refuses more audio of a tenant that has had its hours today.

        Raises:
            StageError: RESOURCE_EXHAUSTED with AUDIO_HOURS_SPENT.
        """
        most = self._limits.audio_hours_of(tenant)
        if most is None or self.used(tenant) < most * HOUR_SECONDS:
            return
        raise StageError(
            Code.RESOURCE_EXHAUSTED,
            Reason.AUDIO_HOURS_SPENT,
            f"The tenant {tenant} has had its {most:g} hours of audio today, the limit "
            f"{Limit.TENANT_AUDIO_HOURS}; go on after midnight UTC, or ask the operator for more.",
            retry_after=timedelta(seconds=self._midnight + DAY_SECONDS - self._clock()),
            limit=Limit.TENANT_AUDIO_HOURS,
        )

    def used(self, tenant: str) -> float:
        """How much audio a tenant has had today, in seconds."""
        self._turn_day()
        running = (
            self._clock() - max(each.began, self._midnight)
            for each in self._running.values()
            if each.tenant == tenant
        )
        return sum(self._seconds_of.get(tenant, {}).values()) + sum(running)

    def replay_begun(self) -> None:
        """Records that come again change nothing."""

    def replay_ended(self) -> None:
        """Nothing is left to do."""

    def gone(self, job_id: str, revision: int) -> None:
        """Audio of a deleted job counts; a session that was deleted ends."""
        self._running.pop(job_id, None)

    def changed(self, seen: record.JobRecord, revision: int) -> None:
        """Notes the length of a job's audio."""
        tenant = tenant_of_record(seen)
        if not seen.log:
            return
        self._turn_day()
        began = seen.log[0].event_time.ToNanoseconds() / 1e9
        if is_live(seen):
            self._running[seen.job_id] = _Running(tenant=tenant, began=began)
            return
        self._running.pop(seen.job_id, None)
        if began >= self._midnight and seen.HasField("facts"):
            self._seconds_of[tenant][seen.job_id] = seconds(seen.facts.duration)

    def _turn_day(self) -> None:
        midnight = self._clock() // DAY_SECONDS * DAY_SECONDS
        if midnight != self._midnight:
            self._midnight = midnight
            self._seconds_of.clear()
