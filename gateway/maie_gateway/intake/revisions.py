"""Saves corrected transcripts, and reads them, for clients."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence

from maie.common.v1 import types_pb2 as common
from maie.edit.v1 import edit_pb2 as edit
from maie.edit.v1 import stored_pb2 as stored
from maie.event.v1 import event_pb2 as event
from maie.job.v1 import record_pb2 as record
from maie_core.caller import Caller
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_gateway.conductor import has_room_for_revision
from maie_gateway.edits.applying import apply_edits, changed_segments
from maie_gateway.edits.checks import edit_invalid
from maie_gateway.edits.numbers import described, known_revision
from maie_gateway.edits.pieces import to_pieces
from maie_gateway.engine.loop import Conductor
from maie_gateway.records.store import JobStore
from maie_gateway.views.results import Results, has_whole_text
from maie_runtime import folders
from maie_runtime.blobs import Blobs

MAX_TEXT_BYTES = 16 * 1024 * 1024
"""The most that a revision stores: many times the text of the longest recording."""


class Revisions:
    """The revisions of transcripts of a tenant's own jobs.

    Raises:
        StageError: NOT_FOUND with JOB_NOT_FOUND or REVISION_NOT_FOUND, FAILED_PRECONDITION with
            TRANSCRIPT_NOT_READY, DATA_LOSS where a stored text is damaged, or UNAVAILABLE.
    """

    def __init__(
        self, store: JobStore, conductor: Conductor, blobs: Blobs, results: Results
    ) -> None:
        self._store = store
        self._conductor = conductor
        self._blobs = blobs
        self._results = results

    async def get(self, tenant: str, job_id: str, revision: int | None) -> edit.GetRevisionResponse:
        """A revision with its text; the newest one where None is named."""
        of = await self._own(tenant, job_id)
        number = known_revision(of, revision)
        async with self._store.reading(job_id):
            (segments,) = await self._results.segments(of, number)
        return edit.GetRevisionResponse(
            revision=described(of, number), segments=segments, newest_revision=len(of.revisions)
        )

    async def listed(self, tenant: str, job_id: str) -> list[edit.Revision]:
        """All revisions but 0, newest first."""
        of = (await self._store.get_own(job_id, tenant)).record
        return [described(of, number) for number in range(len(of.revisions), 0, -1)]

    async def save(self, caller: Caller, request: edit.SaveRevisionRequest) -> edit.Revision:
        """Saves a corrected transcript.

        Raises:
            StageError: ABORTED with REVISION_OUTDATED, FAILED_PRECONDITION with REVISIONS_FULL,
                INVALID_ARGUMENT with EDIT_INVALID.
        """
        of = await self._own(caller.tenant, request.job_id)
        number = known_revision(of, request.base_revision)
        async with self._store.reading(of.job_id):
            made, base = await self._results.segments(of, 0, number)

        def corrected() -> tuple[stored.EditedTranscript, stored.SavedRevision]:
            segments = apply_edits(base, request.edits, number + 1, made)
            text = to_pieces(segments, made)
            return text, stored.SavedRevision(
                author=caller.id,
                changed_segments=changed_segments(base, segments),
                text=common.Blob(sha256=_digest(text)),
            )

        # Long transcripts take a while.
        text, new = await asyncio.to_thread(corrected)
        self._check_follows(of, number, new)
        if number == len(of.revisions):
            new.text.CopyFrom(await self._put(of, text))
        return await self._add(of, number, new)

    async def revert(self, caller: Caller, request: edit.RevertRevisionRequest) -> edit.Revision:
        """Saves a new revision that is equal to an older one.

        Raises:
            StageError: ABORTED with REVISION_OUTDATED, FAILED_PRECONDITION with REVISIONS_FULL.
        """
        of = await self._own(caller.tenant, request.job_id)
        number = known_revision(of, request.base_revision)
        target = known_revision(of, request.revision)
        async with self._store.reading(of.job_id):
            before, after = await self._results.segments(of, number, target)
        new = stored.SavedRevision(
            author=caller.id,
            changed_segments=changed_segments(before, after),
            reverted_to=target,
        )
        if target and of.revisions[target - 1].HasField("text"):
            new.text.CopyFrom(of.revisions[target - 1].text)
        self._check_follows(of, number, new)
        return await self._add(of, number, new)

    async def _own(self, tenant: str, job_id: str) -> record.JobRecord:
        """The record of a tenant's job whose text is there."""
        of = (await self._store.get_own(job_id, tenant)).record
        check_whole_text(of)
        return of

    def _check_follows(self, of: record.JobRecord, base: int, new: stored.SavedRevision) -> None:
        """Checks that a revision is the next one, or the same that was saved there before."""
        if base == len(of.revisions):
            if not has_room_for_revision(of, self._conductor.policy, _MOST_ENTRY_BYTES):
                raise _full(of)
        elif not _is_same(of.revisions[base], new):
            raise _outdated(of)

    async def _put(self, of: record.JobRecord, text: stored.EditedTranscript) -> common.Blob:
        if text.ByteSize() > MAX_TEXT_BYTES:
            raise edit_invalid("edits", "The corrected transcript is too large; correct less.")
        return await self._blobs.put_message(f"{folders.of_job(of.job_id)}/edit", text)

    async def _add(
        self, of: record.JobRecord, base: int, new: stored.SavedRevision
    ) -> edit.Revision:
        """Adds a revision to the record, unless somebody was faster."""
        if base < len(of.revisions):
            return described(of, base + 1)
        saved = event.RevisionSaved(base_revision=base, revision=new)
        taken = await self._conductor.take(
            of.job_id, [event.StageEvent(job_id=of.job_id, revision_saved=saved)]
        )
        if len(taken.revisions) > base and _is_same(taken.revisions[base], new):
            return described(taken, base + 1)
        if new.HasField("text") and not _refers(taken.revisions, new.text):
            await self._blobs.delete(new.text.key)
        raise _outdated(taken) if len(taken.revisions) > base else _full(taken)


def check_whole_text(of: record.JobRecord) -> None:
    """Checks that all of a job's text is there, so that it does not change any more.

    Raises:
        StageError: FAILED_PRECONDITION with TRANSCRIPT_NOT_READY.
    """
    if not has_whole_text(of):
        raise StageError(
            Code.FAILED_PRECONDITION,
            Reason.TRANSCRIPT_NOT_READY,
            f"The transcript of job {of.job_id} is not whole: the job runs, or some of its text "
            "is missing; wait for its end, or retry it.",
        )


# Above the size of any entry: a key, two digests, and the id of a caller.
_MOST_ENTRY_BYTES = 1024


def _digest(text: stored.EditedTranscript) -> str:
    """The SHA-256 by which a text is stored."""
    return hashlib.sha256(text.SerializeToString(deterministic=True)).hexdigest()


def _is_same(saved: stored.SavedRevision, new: stored.SavedRevision) -> bool:
    """Whether a save is one that was made before, whose answer was lost."""
    same_text = saved.text.sha256 == new.text.sha256
    same_kind = saved.HasField("reverted_to") == new.HasField("reverted_to")
    return same_text and same_kind and saved.author == new.author


def _refers(revisions: Sequence[stored.SavedRevision], text: common.Blob) -> bool:
    return any(each.text.key == text.key for each in revisions)


def _outdated(of: record.JobRecord) -> StageError:
    return StageError(
        Code.ABORTED,
        Reason.REVISION_OUTDATED,
        f"Somebody saved the transcript of job {of.job_id} meanwhile; its newest revision is "
        f"{len(of.revisions)}. Get it, and correct that one.",
    )


def _full(of: record.JobRecord) -> StageError:
    return StageError(
        Code.FAILED_PRECONDITION,
        Reason.REVISIONS_FULL,
        f"The transcript of job {of.job_id} has {len(of.revisions)} revisions, and there is no "
        "room for another; it can be read, and not corrected any more.",
    )
