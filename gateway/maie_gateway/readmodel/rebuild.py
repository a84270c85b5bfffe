"""Rebuilds a read model from JetStream and the blob store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from maie_core.errors import StageError
from maie_gateway.readmodel.entries import JobEntry, job_entry
from maie_gateway.readmodel.model import ReadModel
from maie_gateway.readmodel.texts import TextIndexer
from maie_gateway.records.store import GONE, JobStore
from maie_gateway.views.results import Results

BATCH_JOBS = 100

# What is counted, how many are done, and how many there are where that is known.
Progress = Callable[[str, int, int | None], None]


async def rebuild(
    model: ReadModel, store: JobStore, results: Results, progress: Progress
) -> tuple[int, int]:
    """Empties a read model and fills it; gateways may run meanwhile.

    Args:
        model: The read model.
        store: The job records.
        results: The stored results.
        progress: Called after each batch.

    Returns:
        How many jobs were written, and the text of how many.

    Raises:
        StageError: UNAVAILABLE where a store does not answer; run it again.
    """
    await model.clear()
    # The oldest first, so that jobs are numbered in the order of their acceptance.
    ids = sorted(await store.ids())
    await store.prefetch()
    jobs = 0
    for start in range(0, len(ids), BATCH_JOBS):
        part = ids[start : start + BATCH_JOBS]
        entries = await asyncio.gather(*(_entry(store, job_id) for job_id in part))
        jobs += await model.apply_all(entry for entry in entries if entry is not None)
        progress("jobs", start + len(part), len(ids))
    store.forget_prefetched()
    texts = 0
    indexer = TextIndexer(model, store, results)
    while more := await indexer.index_some():
        texts += more
        progress("texts", texts, None)
    await model.analyze()
    return jobs, texts


async def _entry(store: JobStore, job_id: str) -> JobEntry | None:
    try:
        stored = await store.get(job_id)
    except StageError as error:
        if error.reason in GONE:  # deleted since the ids were read
            return None
        raise
    return job_entry(stored.record, stored.revision)
