"""What was seen of the job records and is not written to the read model yet. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from maie.job.v1 import record_pb2 as record

# Records that are held until they are written; of more only the ids are, and they are read again.
HELD_RECORDS = 500
REMEMBERED_JOBS = 1000


@dataclass(kw_only=True, frozen=True, slots=True)
class Waiting:
    """A job that is to be written.

    Attributes:
        ticket: Its place in the order of what was seen.
        revision: The newest revision seen; None where the job is gone.
        record: The record of that revision, where it is held.
    """

    ticket: int
    revision: int | None
    record: record.JobRecord | None = None


class Backlog:
    """One entry for each job, however often it changed, in the order of the first change.

    While the watch replays all records, only their revisions are noted: most
    of them are written already.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, Waiting] = {}
        self._ticket = 0
        self._held = 0
        # What was written lately: a gateway hears of its own changes twice.
        self._written: dict[str, int] = {}
        self._replay: dict[str, int] | None = None
        self._replay_ended = False

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def ticket(self) -> int:
        """The ticket of what was seen last."""
        return self._ticket

    @property
    def replay(self) -> Mapping[str, int] | None:
        """The revisions of a replay that has ended and is to be compared."""
        return self._replay if self._replay_ended else None

    @property
    def replaying(self) -> bool:
        """Whether a replay is under way or is still to be compared."""
        return self._replay is not None

    def written(self, ticket: int) -> bool:
        """Whether all that was seen up to a ticket is written."""
        first = next(iter(self._waiting.values()), None)
        return first is None or first.ticket > ticket

    def begin_replay(self) -> None:
        """All jobs' records come now, each as it is."""
        self._replay = {}
        self._replay_ended = False
        self._written.clear()

    def end_replay(self) -> None:
        """All records have come; what has waited since before is what they say, or gone."""
        replay = self._replay or {}
        for job_id in tuple(self._waiting):
            self._add(job_id, replay.get(job_id), None)
        self._replay_ended = True

    def change(self, seen: record.JobRecord, revision: int) -> None:
        """A job's record is this now."""
        if self._replay is not None and not self._replay_ended:
            self._replay[seen.job_id] = max(revision, self._replay.get(seen.job_id, 0))
        elif self._written.get(seen.job_id, 0) < revision:
            self._add(seen.job_id, revision, seen)

    def remove(self, job_id: str) -> None:
        """A job's record is gone."""
        self._written.pop(job_id, None)
        if self._replay is not None:
            self._replay.pop(job_id, None)
        if self._replay is None or self._replay_ended:
            self._add(job_id, None, None)

    def compare(self, known: Mapping[str, int]) -> None:
        """Ends a replay: what differs from the revisions that are written is to be written."""
        replay, self._replay, self._replay_ended = self._replay or {}, None, False
        for job_id in known.keys() - replay.keys() - self._waiting.keys():
            self._add(job_id, None, None)
        for job_id, revision in replay.items():
            if known.get(job_id, 0) < revision and job_id not in self._waiting:
                self._add(job_id, revision, None)

    def first(self, size: int) -> dict[str, Waiting]:
        """The entries that have waited longest, by job id."""
        return dict(islice(self._waiting.items(), size))

    def done(self, written: Mapping[str, Waiting]) -> None:
        """Takes away what was written; what changed meanwhile goes to the end."""
        for job_id, was in written.items():
            now = self._waiting.pop(job_id)
            self._held -= now.record is not None
            if now is not was:
                self._add(job_id, now.revision, now.record)
            elif now.revision is not None:
                self._written[job_id] = now.revision
        while len(self._written) > REMEMBERED_JOBS:
            del self._written[next(iter(self._written))]

    def _add(self, job_id: str, revision: int | None, seen: record.JobRecord | None) -> None:
        self._ticket += 1
        before = self._waiting.get(job_id)
        if before and before.revision and revision and revision <= before.revision:
            return
        self._held -= before is not None and before.record is not None
        held = seen if self._held < HELD_RECORDS else None
        self._held += held is not None
        ticket = before.ticket if before else self._ticket
        self._waiting[job_id] = Waiting(ticket=ticket, revision=revision, record=held)
