"""Reads finished jobs' text into the read model."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from maie.job.v1 import job_pb2 as job
from maie_core.errors import StageError
from maie_gateway.readmodel.entries import job_entry, text_version
from maie_gateway.readmodel.model import ReadModel
from maie_gateway.readmodel.moments import JobText, text_moments
from maie_gateway.readmodel.words import storable
from maie_gateway.records.about import about
from maie_gateway.records.journal import StoredRecord
from maie_gateway.records.store import GONE, JobStore
from maie_gateway.views.results import Results

log = structlog.get_logger()

# Jobs that are asked for at a time.
BATCH_JOBS = 20
# Some hours of talk: lists that are asked for wait for a transaction.
BATCH_MOMENTS = 5_000


class TextIndexer:
    """Indexes the texts that the database lacks, so that a restart loses none."""

    def __init__(self, model: ReadModel, store: JobStore, results: Results) -> None:
        self._model = model
        self._store = store
        self._results = results

    async def index_some(self) -> int:
        """Indexes the text of some jobs; returns how many, 0 where none is missing.

        Raises:
            StageError: UNAVAILABLE where the database, the broker or the blob
                store does not answer.
        """
        missing = await self._model.without_text(BATCH_JOBS)
        batch: list[tuple[StoredRecord, JobText]] = []
        # One after another: indexing is not urgent, and urgent reads go in between.
        for job_id in missing:
            if (stored := await self._found(job_id)) is not None:
                batch.append((stored, await self._text(stored)))
            if sum(len(text.moments) for _, text in batch) >= BATCH_MOMENTS:
                await self._index(batch)
                batch = []
        await self._index(batch)
        return len(missing)

    async def _found(self, job_id: str) -> StoredRecord | None:
        """A job's record; None, and no row any more, where the job is gone."""
        try:
            return await self._store.get(job_id)
        except StageError as error:
            if error.reason not in GONE:
                raise
            await self._model.remove(job_id)
            return None

    async def _text(self, stored: StoredRecord) -> JobText:
        version = text_version(stored.record)
        results = await self._read(stored) if version else job.JobResults()
        return JobText(
            job_id=stored.record.job_id,
            version=version,
            moments=text_moments(results),
            language=storable(results.language_code.lower()),
        )

    async def _index(self, batch: Sequence[tuple[StoredRecord, JobText]]) -> None:
        if not batch:
            return
        indexed = await self._model.index_texts([text for _, text in batch if text.version])
        # The rows of the others may be older than the records that their texts are of.
        behind = [stored for stored, text in batch if text.job_id not in indexed]
        if behind:
            await self._model.refresh_all(job_entry(one.record, one.revision) for one in behind)

    async def _read(self, stored: StoredRecord) -> job.JobResults:
        try:
            return await self._results.texts(stored.record)
        except StageError as error:
            if error.retryable:
                raise
            # Lost or damaged for good: the job is listed, but not found by its text.
            with about(stored.record):
                log.warning("readmodel.text_unreadable", reason=error.reason)
            return job.JobResults()
