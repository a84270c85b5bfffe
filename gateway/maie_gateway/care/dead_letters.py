"""Lists and replays dead letters of units and deliveries."""

from __future__ import annotations

from dataclasses import dataclass

from google.protobuf.message import DecodeError

from maie.common.v1 import types_pb2 as common
from maie.event.v1 import event_pb2 as event
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_core.errors import Code, StageError, invalid
from maie_core.limits import MAX_PAGE_SIZE
from maie_core.reasons import Reason
from maie_gateway.intake.job_actions import JobActions
from maie_gateway.records.store import GONE, JobStore
from maie_gateway.webhooks import replay
from maie_gateway.webhooks.queue import STAGE as WEBHOOK
from maie_pipeline.bindings import binding_of
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import BROKER_ERRORS, Broker, broker_unavailable
from maie_runtime.bus.errors import NotFoundError
from maie_runtime.bus.types import RawStreamMsg

DEFAULT_PAGE_SIZE = 50
# How many sequences are read at once; the window grows where other tenants' letters lie between.
FIRST_WINDOW = 256
MAX_WINDOW = 8192
# Sequences are 64 bits wide.
MAX_SEQUENCE_DIGITS = 19
# A job that does not exist: an id is made from the time, and this is the first of all.
NO_JOB = "00000000-0000-7000-8000-000000000000"


@dataclass(kw_only=True, frozen=True, slots=True)
class Letter:
    """A stored dead letter.

    Attributes:
        letter_id: Its sequence in the stream.
        stage: The stage in its subject; only that may publish there.
        content: The unit or delivery that failed.
    """

    letter_id: int
    stage: str
    content: event.DeadLetter


class DeadLetters:
    """A tenant's view of the stream of dead letters.

    Raises:
        StageError: UNAVAILABLE with BROKER_UNAVAILABLE.
    """

    def __init__(self, broker: Broker, store: JobStore, actions: JobActions) -> None:
        self._broker = broker
        self._store = store
        self._actions = actions

    async def page(
        self, tenant: str, request: job.ListDeadLettersRequest
    ) -> job.ListDeadLettersResponse:
        """A page of letters, newest first. A page's token is its last letter's id."""
        size = min(max(request.page_size, 0) or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)
        if request.job_id:
            await self._store.get_own(request.job_id, tenant)
        found: list[Letter] = []
        try:
            before = _before(request.page_token) or (await self._last() + 1)
            window = FIRST_WINDOW
            while before > 1 and len(found) <= size:
                start = max(1, before - window)
                found += await self._owned(
                    tenant, await self._read(start, before, request.job_id or "*")
                )
                before, window = start, min(window * 2, MAX_WINDOW)
        except BROKER_ERRORS as error:
            raise broker_unavailable(error) from error
        page = found[:size]
        return job.ListDeadLettersResponse(
            letters=[_entry(letter) for letter in page],
            next_page_token=str(page[-1].letter_id) if len(found) > size else "",
        )

    async def replay(self, tenant: str, letter_id: int) -> record.JobRecord:
        """Retries the unit or delivery of a letter and deletes the letter.

        Returns:
            The job's record afterwards.

        Raises:
            StageError: NOT_FOUND with DEAD_LETTER_NOT_FOUND, or
                FAILED_PRECONDITION with JOB_NOT_RETRYABLE.
        """
        letter = await self._get(tenant, letter_id)
        job_id = letter.content.task.job_id
        if letter.content.HasField("webhook"):
            await replay(self._broker, letter.content)
            taken = (await self._store.get(job_id)).record
        else:
            taken = await self._actions.retry(tenant, job_id, letter.content.task.unit)
        try:
            await self._broker.jetstream.delete_msg(subjects.DEAD_LETTERS, letter_id)
        except NotFoundError:
            pass  # another call replayed it too
        except BROKER_ERRORS as error:
            raise broker_unavailable(error) from error
        return taken

    async def _get(self, tenant: str, letter_id: int) -> Letter:
        absent = StageError(
            Code.NOT_FOUND,
            Reason.DEAD_LETTER_NOT_FOUND,
            f"There is no dead letter {letter_id}; `maie dead-letters list` shows those there are.",
        )
        if letter_id < 1:
            raise absent
        try:
            stored = await self._broker.jetstream.get_msg(subjects.DEAD_LETTERS, letter_id)
            letters = await self._decoded(stored)
        except NotFoundError:
            letters = []
        except BROKER_ERRORS as error:
            raise broker_unavailable(error) from error
        if not letters:
            # As for another tenant's letter, so that the time of the answer says nothing.
            await self._record(tenant, NO_JOB)
        owned = await self._owned(tenant, letters)
        if not owned:
            raise absent
        return owned[0]

    async def _owned(self, tenant: str, letters: list[Letter]) -> list[Letter]:
        """The letters of the tenant's jobs that are still current."""
        records: dict[str, record.JobRecord | None] = {}
        for letter in letters:
            job_id = letter.content.task.job_id
            if job_id not in records:
                records[job_id] = await self._record(tenant, job_id)
        return [
            letter for letter in letters if _stands(letter, records[letter.content.task.job_id])
        ]

    async def _record(self, tenant: str, job_id: str) -> record.JobRecord | None:
        try:
            return (await self._store.get_own(job_id, tenant)).record
        except StageError as error:
            if error.reason in GONE:
                return None
            raise

    async def _last(self) -> int:
        info = await self._broker.jetstream.stream_info(subjects.DEAD_LETTERS)
        return info.state.last_seq

    async def _read(self, start: int, before: int, job_id: str) -> list[Letter]:
        """The letters from one sequence to right before another, newest first."""
        found: list[Letter] = []
        sequence = start
        while sequence < before:
            try:
                stored = await self._broker.jetstream.get_msg(
                    subjects.DEAD_LETTERS,
                    seq=sequence,
                    subject=subjects.dead_letter("*", job_id),
                    next=True,
                )
            except NotFoundError:
                break
            sequence = stored.seq or before
            if sequence < before:
                found += await self._decoded(stored)
            sequence += 1
        return found[::-1]

    async def _decoded(self, stored: RawStreamMsg) -> list[Letter]:
        """The letter; empty where it cannot be decoded, or is about another job than it says.

        Neither can one that is encrypted, once its job is removed.
        """
        _, _, stage, job_id = (stored.subject or "").split(".")
        try:
            data = await self._broker.opened(job_id, stored.data or b"")
            content = event.DeadLetter.FromString(data)
        except DecodeError:
            return []
        except StageError as error:
            if error.reason != Reason.DATA_KEY_GONE:
                raise
            return []
        if content.task.job_id != job_id:
            return []
        return [Letter(letter_id=stored.seq or 0, stage=stage, content=content)]


def _stands(letter: Letter, source: record.JobRecord | None) -> bool:
    """Whether a letter is its stage's, and still current: its unit may have been retried since.

    A worker that wrote a letter about a delivery could have it sent wherever it likes.
    """
    if source is None:
        return False
    task = letter.content.task
    if letter.content.HasField("webhook"):
        return letter.stage == WEBHOOK and letter.content.webhook.job_id == task.job_id
    return any(
        (unit.unit, unit.attempt, unit.state) == (task.unit, task.attempt, job.UNIT_STATE_FAILED)
        and _publishes(letter.stage, unit.stage)
        for unit in source.units
    )


def _publishes(slug: str, stage: common.Stage) -> bool:
    """Whether letters about units of a stage are in the subject of this one."""
    binding = binding_of(stage)
    return binding is None or binding.slug == slug


def _before(page_token: str) -> int:
    """The sequence that a page ends before; 0 for the first page."""
    if not page_token:
        return 0
    if not page_token.isdecimal() or len(page_token) > MAX_SEQUENCE_DIGITS:
        raise invalid(
            Reason.PAGE_TOKEN_INVALID,
            "A page token comes from the previous page; begin without one.",
            field="page_token",
        )
    return int(page_token)


def _entry(letter: Letter) -> job.DeadLetterEntry:
    content = letter.content
    return job.DeadLetterEntry(
        letter_id=letter.letter_id,
        job_id=content.task.job_id,
        unit=content.task.unit,
        attempts=content.task.attempt,
        failure=content.failure,
        dead_time=content.dead_time,
    )
