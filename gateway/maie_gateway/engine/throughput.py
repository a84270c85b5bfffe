"""The jobs that ended in the last minutes, at all gateways together."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from maie.catalog.v1 import catalog_pb2 as catalog
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_core.durations import seconds
from maie_gateway.conductor import FINAL_STATES

WINDOW_SECONDS = 300.0
# Some ten megabytes. While more jobs end in the window, it is shorter.
MAX_JOBS = 20_000
MAX_FAILURES = 10


@dataclass(kw_only=True, frozen=True, slots=True)
class _Ended:
    """A job that ended.

    Attributes:
        at: When, in seconds since 1970, by the clock of the gateway that wrote it.
        state: Its final state.
        audio_seconds: How long its audio is.
        failure: The unit that failed first, and the reason; empty where none did.
    """

    at: float
    state: job.JobState
    audio_seconds: float
    failure: tuple[str, str] = ("", "")


class Throughput:
    """Counts the ends of jobs. A follower of `JobChanges`, which sees the records of all gateways.

    Args:
        clock: Gives the time in seconds since 1970.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._ended: OrderedDict[str, _Ended] = OrderedDict()

    def replay_begun(self) -> None:
        """Records that are known already change nothing."""

    def replay_ended(self) -> None:
        """Nothing is left to do."""

    def gone(self, job_id: str, revision: int) -> None:
        """A job that was deleted did end."""

    def changed(self, seen: record.JobRecord, revision: int) -> None:
        """Counts a job that has ended; one that is retried no longer counts."""
        if seen.state not in FINAL_STATES:
            self._ended.pop(seen.job_id, None)
            return
        # After its end, a job may still be renamed.
        ended = [entry.event_time for entry in seen.log if entry.HasField("state_changed")]
        at = ended[-1].ToNanoseconds() / 1e9 if ended else 0.0
        if seen.job_id not in self._ended and at > self._clock() - WINDOW_SECONDS:
            self._ended[seen.job_id] = _Ended(
                at=at,
                state=seen.state,
                audio_seconds=seconds(seen.facts.duration),
                failure=_failure(seen),
            )
            if len(self._ended) > MAX_JOBS:
                self._ended.popitem(last=False)

    def report(self) -> catalog.Throughput:
        """The counts as of now."""
        window = self._window()
        recent = {k: e for k, e in self._ended.items() if e.at > self._clock() - window}
        states = Counter(each.state for each in recent.values())
        found = catalog.Throughput(
            completed_jobs=states[job.JOB_STATE_COMPLETE],
            failed_jobs=states[job.JOB_STATE_FAILED],
            cancelled_jobs=states[job.JOB_STATE_CANCELLED],
        )
        complete = (e for e in recent.values() if e.state == job.JOB_STATE_COMPLETE)
        found.audio.FromNanoseconds(round(sum(each.audio_seconds for each in complete) * 1e9))
        found.window.FromNanoseconds(round(window * 1e9))
        failed = [(e.at, k, e.failure) for k, e in recent.items() if e.failure[1]]
        for at, job_id, (unit, reason) in sorted(failed, reverse=True)[:MAX_FAILURES]:
            failure = found.failures.add(job_id=job_id, unit=unit, reason=reason)
            failure.fail_time.FromNanoseconds(round(at * 1e9))
        return found

    def _window(self) -> float:
        """Forgets what is older than the window; gives the window's length in seconds."""
        now = self._clock()
        is_full = len(self._ended) >= MAX_JOBS
        old = [k for k, each in self._ended.items() if each.at <= now - WINDOW_SECONDS]
        for job_id in old:
            del self._ended[job_id]
        if is_full and not old:
            return max(1.0, now - min(each.at for each in self._ended.values()))
        return WINDOW_SECONDS


def _failure(seen: record.JobRecord) -> tuple[str, str]:
    if seen.state != job.JOB_STATE_FAILED:
        return "", ""
    asked = (unit for unit in seen.units if not unit.is_optional)
    failed = next((unit for unit in asked if unit.HasField("failure")), None)
    return (failed.unit, failed.failure.reason) if failed else ("", "")
