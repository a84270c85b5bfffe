"""Results that are read again and again are read once, and no longer kept than they are there."""

from __future__ import annotations

import asyncio

import pytest

from maie.common.v1 import types_pb2 as common
from maie_core.errors import StageError
from maie_gateway.views.stored_results import StoredResults
from maie_runtime.blobs import Blobs

pytestmark = pytest.mark.unit

JOB = "01990000-0000-7000-8000-000000000001"


async def store(blobs: Blobs, text: str, job_id: str = JOB) -> common.Blob:
    """A result of a job."""
    transcript = common.Transcript(segments=[common.Segment(text=text)])
    return await blobs.put_message(f"jobs/{job_id}/asr.0000", transcript)


async def is_read(results: StoredResults, blob: common.Blob) -> bool:
    """Whether a result can be had."""
    try:
        await results.get(blob, common.Transcript)
    except StageError as error:
        if error.reason != "BLOB_MISSING":
            raise
        return False
    return True


async def test_a_result_is_read_once_for_all(blobs: Blobs) -> None:
    results = StoredResults(blobs)
    blob = await store(blobs, "hello")
    found = await asyncio.gather(*(results.get(blob, common.Transcript) for _ in range(5)))
    await blobs.delete(blob.key)
    found.append(await results.get(blob, common.Transcript))
    assert len({id(each) for each in found}) == 1
    assert found[0].segments[0].text == "hello"


async def test_who_gives_up_leaves_the_others_what_they_wait_for(blobs: Blobs) -> None:
    results = StoredResults(blobs)
    blob = await store(blobs, "hello")
    impatient, patient = (
        asyncio.create_task(results.get(blob, common.Transcript)) for _ in range(2)
    )
    await asyncio.sleep(0)
    impatient.cancel()
    assert (await patient).segments[0].text == "hello"
    assert impatient.cancelled()


async def test_those_that_were_read_last_are_kept(blobs: Blobs) -> None:
    stored = [await store(blobs, letter * 1000) for letter in "abc"]
    results = StoredResults(blobs, kept_bytes=2 * stored[0].size_bytes)
    for place in (0, 1, 0, 2):
        await results.get(stored[place], common.Transcript)
    for blob in stored:
        await blobs.delete(blob.key)
    assert [await is_read(results, blob) for blob in stored] == [True, False, True]


async def test_what_is_larger_than_all_that_may_be_kept_is_read_all_the_same(blobs: Blobs) -> None:
    results = StoredResults(blobs, kept_bytes=10)
    blob = await store(blobs, "a" * 1000)
    assert await is_read(results, blob)
    await blobs.delete(blob.key)
    assert not await is_read(results, blob)


async def test_what_a_removed_job_had_is_forgotten(blobs: Blobs) -> None:
    results = StoredResults(blobs)
    other = JOB[:-1] + "2"
    removed, kept = await store(blobs, "hello"), await store(blobs, "hello", other)
    for blob in (removed, kept):
        assert await is_read(results, blob)
        await blobs.delete(blob.key)
    results.gone(JOB, 7)
    assert [await is_read(results, blob) for blob in (removed, kept)] == [False, True]


async def test_what_cannot_be_read_is_tried_anew(blobs: Blobs) -> None:
    results = StoredResults(blobs)
    blob = await store(blobs, "hello")
    await blobs.delete(blob.key)
    assert not await is_read(results, blob)
    assert await store(blobs, "hello") == blob
    assert await is_read(results, blob)
