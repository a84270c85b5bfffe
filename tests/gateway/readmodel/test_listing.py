"""Pages of jobs, on both databases."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_core.errors import Code, StageError
from maie_gateway.readmodel import ReadModel, job_entry
from tests.gateway.readmodel.records import TENANT, at, job_id, job_record, put, show
from tests.properties import examples

pytestmark = pytest.mark.unit

STATES = (
    job.JOB_STATE_PENDING,
    job.JOB_STATE_COMPLETE,
    job.JOB_STATE_FAILED,
    job.JOB_STATE_CANCELLED,
)


async def listed(model: ReadModel, tenant: str = TENANT, **options: Any) -> list[int]:
    """The numbers of a tenant's jobs over all pages."""
    request = job.ListJobsRequest(**options)
    numbers: list[int] = []
    while True:
        page = await model.list_page(tenant, request)
        numbers += [int(shown.display_name.split()[1]) for shown in page.jobs]
        if not page.next_page_token:
            return numbers
        request.page_token = page.next_page_token


def time(seconds: float) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(at(seconds))
    return stamp


async def test_a_job_is_shown_as_its_record_says(model: ReadModel) -> None:
    await put(model, job_record(1, labels={"team": "sales"}))
    (shown,) = (await model.list_page(TENANT, job.ListJobsRequest())).jobs
    assert shown.job_id == job_id(1)
    assert shown.state == job.JOB_STATE_COMPLETE
    assert shown.create_time.ToDatetime() == at(1).replace(tzinfo=None)
    assert shown.HasField("finish_time")
    assert not shown.HasField("results")


async def test_an_older_revision_changes_nothing_and_the_same_again_neither(
    model: ReadModel,
) -> None:
    assert await show(model, job_record(1, labels={"a": "new"}), 7)
    assert not await show(model, job_record(1, state=job.JOB_STATE_PENDING), 6)
    assert not await show(model, job_record(1, state=job.JOB_STATE_PENDING), 7)
    assert await listed(model, labels={"a": "new"}) == [1]
    assert await show(model, job_record(1, labels={"a": "newer"}), 8)
    assert await listed(model, labels={"a": "new"}) == []
    assert await model.revisions() == {job_id(1): 8}


async def test_a_removed_job_is_gone_and_may_be_removed_again(model: ReadModel) -> None:
    await put(model, job_record(1, labels={"a": "b"}), job_record(2))
    await model.remove(job_id(1))
    await model.remove(job_id(1))
    assert await listed(model) == [2]
    assert await listed(model, labels={"a": "b"}) == []
    assert await model.count() == 1


async def test_tenants_see_their_own_jobs_only(model: ReadModel) -> None:
    await put(model, job_record(1), job_record(2, tenant="other", labels={"a": "b"}))
    assert await listed(model) == [1]
    assert await listed(model, tenant="other") == [2]
    assert await listed(model, labels={"a": "b"}) == []
    assert (await model.count(TENANT), await model.count()) == (1, 2)


async def test_jobs_of_before_there_were_tenants_are_the_default_ones(model: ReadModel) -> None:
    await put(model, job_record(1, tenant=""))
    assert await listed(model, tenant="default") == [1]


async def test_the_newest_come_first_even_at_the_same_time(model: ReadModel) -> None:
    await put(model, job_record(2, seconds=5), job_record(3, seconds=5), job_record(9, seconds=1))
    assert await listed(model, page_size=1) == [3, 2, 9]


async def test_pages_stay_as_they_are_while_jobs_come_and_go(model: ReadModel) -> None:
    await put(model, *(job_record(number) for number in range(10, 20)))
    first = await model.list_page(TENANT, job.ListJobsRequest(page_size=4))
    await put(model, job_record(99))
    await model.remove(job_id(16))  # the last of the first page
    rest = await listed(model, page_size=4, page_token=first.next_page_token)
    assert rest == [15, 14, 13, 12, 11, 10]


async def test_a_page_has_fifty_jobs_where_nothing_is_said(model: ReadModel) -> None:
    await model.apply_all([job_entry(job_record(number), 1) for number in range(60)])
    page = await model.list_page(TENANT, job.ListJobsRequest())
    assert len(page.jobs) == 50


async def test_times_that_no_clock_shows_are_taken(model: ReadModel) -> None:
    await put(model, job_record(1))
    far = Timestamp(seconds=2**62)
    assert await listed(model, accepted_until=far) == [1]
    assert await listed(model, accepted_from=far) == []


async def test_labels_may_hold_any_character(model: ReadModel) -> None:
    await put(model, job_record(1, labels={"a": "x\0%'\"…"}))
    assert await listed(model, labels={"a": "x\0%'\"…"}) == [1]
    assert await listed(model, labels={"a": "x"}) == []


@pytest.mark.parametrize(
    "token", ["x", "????", "e30=", "W10=", "bnVsbA==", "WzEsMl0=", "\ud7ff", "A" * 5000, "1" * 400]
)
async def test_a_page_token_that_is_none_is_refused(model: ReadModel, token: str) -> None:
    with pytest.raises(StageError) as refused:
        await model.list_page(TENANT, job.ListJobsRequest(page_token=token))
    assert (refused.value.code, refused.value.reason) == (
        Code.INVALID_ARGUMENT,
        "PAGE_TOKEN_INVALID",
    )


async def test_a_page_token_of_another_request_is_refused(model: ReadModel) -> None:
    await put(model, *(job_record(number) for number in range(3)))
    page = await model.list_page(TENANT, job.ListJobsRequest(page_size=1))
    token = page.next_page_token
    states = [job.JOB_STATE_COMPLETE]
    with pytest.raises(StageError):
        await model.list_page(TENANT, job.ListJobsRequest(page_token=token, states=states))
    with pytest.raises(StageError):
        await model.list_page("other", job.ListJobsRequest(page_token=token))
    assert await listed(model, page_token=token, page_size=2) == [1, 0]


async def test_a_page_size_below_nothing_is_refused(model: ReadModel) -> None:
    with pytest.raises(StageError) as refused:
        await model.list_page(TENANT, job.ListJobsRequest(page_size=-1))
    assert refused.value.reason == "PAGE_SIZE_INVALID"


Kept = tuple[int, job.JobState, dict[str, str]]
LABELS = st.dictionaries(st.sampled_from("ab"), st.sampled_from("xy"))


@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kept=st.lists(st.tuples(st.integers(0, 9), st.sampled_from(STATES), LABELS), max_size=20),
    states=st.lists(st.sampled_from(STATES), max_size=3),
    labels=LABELS,
    since=st.none() | st.integers(0, 9),
    until=st.none() | st.integers(0, 9),
    page_size=st.integers(1, 5),
)
async def test_all_pages_together_are_what_was_asked_for(
    model: ReadModel,
    kept: Sequence[Kept],
    states: Sequence[job.JobState],
    labels: dict[str, str],
    since: int | None,
    until: int | None,
    page_size: int,
) -> None:
    await model.clear()
    records = [
        job_record(number, seconds=seconds, state=state, labels=own)
        for number, (seconds, state, own) in enumerate(kept)
    ]
    random.Random(0).shuffle(records)
    await model.apply_all([job_entry(made, 1) for made in records])
    wanted = [
        (seconds, number)
        for number, (seconds, state, own) in enumerate(kept)
        if (not states or state in states)
        and labels.items() <= own.items()
        and (since is None or seconds >= since)
        and (until is None or seconds < until)
    ]
    found = await listed(
        model,
        states=states,
        labels=labels,
        accepted_from=None if since is None else time(since),
        accepted_until=None if until is None else time(until),
        page_size=page_size,
    )
    assert found == [number for _, number in sorted(wanted, reverse=True)]


async def test_jobs_of_one_recording_are_the_tenants_own(model: ReadModel) -> None:
    def of(number: int, digest: str, **options: Any) -> record.JobRecord:
        made = job_record(number, **options)
        made.recording.sha256 = digest
        return made

    one, two = "a" * 64, "b" * 64
    await put(
        model,
        of(1, one),
        of(2, two),
        of(3, one, state=job.JOB_STATE_FAILED, labels={"a": "b"}),
        of(4, one, tenant="other"),
        job_record(5),
    )
    assert await listed(model, recording_sha256=one, page_size=1) == [3, 1]
    assert await listed(model, recording_sha256=one, states=[job.JOB_STATE_FAILED]) == [3]
    assert await listed(model, recording_sha256=one, labels={"a": "b"}) == [3]
    assert await listed(model, recording_sha256="c" * 64) == []
    (shown,) = (await model.list_page(TENANT, job.ListJobsRequest(recording_sha256=two))).jobs
    assert shown.recording_sha256 == two
    for wrong in ("a", "A" * 64, "a" * 65):
        with pytest.raises(StageError) as refused:
            await listed(model, recording_sha256=wrong)
        assert refused.value.code is Code.INVALID_ARGUMENT
        assert refused.value.reason == "FIELD_INVALID"
