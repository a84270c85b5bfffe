"""The changes of job records that are not written to the read model yet. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from maie.job.v1 import record_pb2 as record

# How many waiting records are cached; further ones are read again when they are written.
HELD_RECORDS = 500
REMEMBERED_JOBS = 1_000


@dataclass(kw_only=True, frozen=True, slots=True)
class Waiting:
    """A job that is to be written.

    Attributes:
        ticket: The number of its first unwritten change, in the order of arrival.
        revision: The newest revision seen; None where the job was removed.
        record: The record of that revision, where it is cached.
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
        # The entries that are being written. A change meanwhile adds a new entry to `_waiting`.
        self._writing: dict[str, Waiting] = {}
        self._ticket = 0
        self._held = 0
        # The newest revisions that were written or removed recently: a gateway receives its own
        # changes twice, and sometimes late.
        self._known: dict[str, int] = {}
        self._replay: dict[str, int] | None = None
        self._replay_ended = False

    def __len__(self) -> int:
        return len(self._waiting.keys() | self._writing.keys())

    @property
    def ticket(self) -> int:
        """The ticket of the last change."""
        return self._ticket

    @property
    def replay(self) -> Mapping[str, int] | None:
        """The revisions of a replay that ended and is not compared yet."""
        return self._replay if self._replay_ended else None

    @property
    def replaying(self) -> bool:
        """Whether a replay is under way or is still to be compared."""
        return self._replay is not None

    def written(self, ticket: int) -> bool:
        """Whether all changes up to a ticket are written."""
        longest = (next(iter(part.values()), None) for part in (self._writing, self._waiting))
        return all(entry is None or entry.ticket > ticket for entry in longest)

    def begin_replay(self) -> None:
        """Begins a replay: the current records of all jobs follow."""
        self._replay = {}
        self._replay_ended = False
        self._known.clear()

    def end_replay(self) -> None:
        """Ends a replay; entries that waited before it get its revisions, or are removed."""
        replay = self._replay or {}
        for job_id in self._waiting.keys() | self._writing.keys():
            self._add(job_id, replay.get(job_id), None)
        self._replay_ended = True

    def change(self, seen: record.JobRecord, revision: int) -> None:
        """Adds a changed record, unless a newer revision is known."""
        if self._replay is not None and not self._replay_ended:
            self._replay[seen.job_id] = max(revision, self._replay.get(seen.job_id, 0))
        elif self._known.get(seen.job_id, 0) < revision:
            self._add(seen.job_id, revision, seen)

    def remove(self, job_id: str, revision: int = 0) -> None:
        """Adds the removal of a job.

        Args:
            job_id: The job.
            revision: The revision of the removal; older changes, which may arrive
                later, are ignored. 0 where it is not known.
        """
        if self._replay is not None:
            self._replay.pop(job_id, None)
        if self._replay is None or self._replay_ended:
            self._remember(job_id, revision)
            self._add(job_id, None, None)

    def compare(self, shown: Mapping[str, int]) -> None:
        """Compares a replay with the written revisions, and adds what differs."""
        replay, self._replay, self._replay_ended = self._replay or {}, None, False
        waiting = self._waiting.keys() | self._writing.keys()
        for job_id in shown.keys() - replay.keys() - waiting:
            self._add(job_id, None, None)
        for job_id, revision in replay.items():
            if shown.get(job_id, 0) < revision and job_id not in waiting:
                self._add(job_id, revision, None)

    def take(self, size: int) -> Mapping[str, Waiting]:
        """The oldest entries, by job id; the same ones until `done`."""
        while self._waiting and len(self._writing) < size:
            job_id = next(iter(self._waiting))
            if job_id in self._writing:
                break
            self._writing[job_id] = self._waiting.pop(job_id)
        return self._writing

    def done(self) -> None:
        """Marks the taken entries as written."""
        for job_id, entry in self._writing.items():
            self._held -= entry.record is not None
            if entry.revision is not None:
                self._remember(job_id, entry.revision)
        self._writing.clear()

    def _remember(self, job_id: str, revision: int) -> None:
        revision = max(revision, self._known.pop(job_id, 0))
        self._known[job_id] = revision
        while len(self._known) > REMEMBERED_JOBS:
            del self._known[next(iter(self._known))]

    def _add(self, job_id: str, revision: int | None, seen: record.JobRecord | None) -> None:
        self._ticket += 1
        before = self._waiting.get(job_id)
        newest = before or self._writing.get(job_id)
        if newest and newest.revision and revision and revision <= newest.revision:
            return
        self._held -= before is not None and before.record is not None
        held = seen if self._held < HELD_RECORDS else None
        self._held += held is not None
        ticket = before.ticket if before else self._ticket
        self._waiting[job_id] = Waiting(ticket=ticket, revision=revision, record=held)
