"""Reads finished jobs' text into the read model."""

from __future__ import annotations

import structlog

from maie_gateway.readmodel.entries import text_version
from maie_gateway.readmodel.model import ReadModel
from maie_gateway.readmodel.moments import TextMoment, text_moments
from maie_gateway.results import Results
from maie_gateway.store import JobStore, StoredRecord
from maie_runtime.errors import StageError

log = structlog.get_logger()

# Jobs that are asked for at a time.
BATCH_JOBS = 20


class TextIndexer:
    """Indexes what the database says is missing, so that nothing is forgotten over a restart."""

    def __init__(self, model: ReadModel, store: JobStore, results: Results) -> None:
        self._model = model
        self._store = store
        self._results = results

    async def index_some(self) -> int:
        """Indexes some jobs' text; returns of how many, 0 where none is missing.

        Raises:
            StageError: UNAVAILABLE where the database, the broker or the blob
                store does not answer.
        """
        missing = await self._model.without_text(BATCH_JOBS)
        for job_id in missing:
            await self._index(job_id)
        return len(missing)

    async def _index(self, job_id: str) -> None:
        try:
            stored = await self._store.get(job_id)
        except StageError as error:
            if error.reason != "JOB_NOT_FOUND":
                raise
            await self._model.remove(job_id)
            return
        # The row may be older than the record that the text is of.
        await self._model.apply(stored.record, stored.revision)
        if version := text_version(stored.record):
            await self._model.index_text(job_id, version, await self._moments(stored))

    async def _moments(self, stored: StoredRecord) -> list[TextMoment]:
        try:
            shown = await self._results.job(stored.record)
        except StageError as error:
            if error.retryable:
                raise
            # Lost or damaged for good: the job is listed, but not found by its text.
            log.warning("readmodel.text_unreadable", job=stored.record.job_id, reason=error.reason)
            return []
        return text_moments(shown.results)
