"""Jobs by their template, language and speakers, in lists and in searches, on both databases."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import create_engine, text

from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_core.errors import StageError
from maie_core.limits import MAX_QUERY_CHARACTERS
from maie_gateway.readmodel import JobText, ReadModel, TextMoment, open_read_model
from maie_gateway.readmodel.entries import text_version
from tests.gateway.readmodel.records import TENANT, job_id, job_record, put, show

pytestmark = pytest.mark.unit


def made(
    number: int, *, template: str = "", speakers: tuple[str, ...] = (), **options: Any
) -> record.JobRecord:
    """A finished job's record, with text."""
    of = job_record(number, output=f"text {number}", **options)
    of.config.template_id = template or "asked-for-nothing"
    of.template_sha256 = "0" * 64 if template else ""
    of.speaker_names.update({f"S{place}": name for place, name in enumerate(speakers, start=1)})
    return of


async def index(model: ReadModel, of: record.JobRecord, language: str = "en") -> None:
    moments = [TextMoment(text="we ship on friday", segment_id="c0000-s0000", start=0, end=1)]
    found = JobText(job_id=of.job_id, version=text_version(of), moments=moments, language=language)
    assert await model.index_texts([found])


async def fill(model: ReadModel) -> None:
    jobs = {
        "en": made(1, template="standup", speakers=("Anna", "Ben Okri"), labels={"team": "a"}),
        "en-gb": made(2, template="standup", speakers=("Ánna Okri",)),
        "de": made(3, template="interview", speakers=("Ben", "Okri"), labels={"team": "a"}),
        "": made(4, state=job.JOB_STATE_FAILED),
    }
    for language, of in jobs.items():
        await put(model, of)
        await index(model, of, language)


async def filtered(model: ReadModel, **filters: Any) -> list[int]:
    """The numbers of the jobs that filters leave, which a list and a search agree on."""
    listed = await model.list_page(TENANT, job.ListJobsRequest(**filters))
    found = await model.search(TENANT, job.SearchJobsRequest(query="friday", **filters))
    numbers = [int(shown.display_name.split()[1]) for shown in listed.jobs]
    assert {hit.job.job_id for hit in found.hits} == {job_id(each) for each in numbers}
    return sorted(numbers)


@pytest.mark.parametrize(
    ("filters", "left"),
    [
        ({}, [1, 2, 3, 4]),
        ({"template_id": "standup"}, [1, 2]),
        ({"template_id": "stand"}, []),
        ({"template_id": "asked-for-nothing"}, []),
        ({"language_code": "EN"}, [1, 2]),
        ({"language_code": "en-GB"}, [2]),
        ({"language_code": "e"}, []),
        ({"language_code": "%"}, []),
        ({"speaker": "anna"}, [1, 2]),
        ({"speaker": "ben okri"}, [1]),
        ({"speaker": "OKRI"}, [1, 2, 3]),
        ({"speaker": "ann"}, []),
        ({"speaker": "_nna"}, []),
        ({"speaker": " "}, [1, 2, 3, 4]),
        ({"states": [job.JOB_STATE_FAILED]}, [4]),
        ({"states": [job.JOB_STATE_FAILED, job.JOB_STATE_COMPLETE], "speaker": "ben"}, [1, 3]),
        ({"labels": {"team": "a"}}, [1, 3]),
        ({"labels": {"team": "a"}, "language_code": "de"}, [3]),
        ({"labels": {"team": "a", "no": "such"}}, []),
        ({"template_id": "standup", "language_code": "en", "speaker": "okri"}, [1, 2]),
        ({"recording_sha256": "0" * 64}, []),
    ],
)
async def test_jobs_are_filtered(model: ReadModel, filters: Any, left: list[int]) -> None:
    await fill(model)
    assert await filtered(model, **filters) == left


async def test_a_new_name_is_found_and_the_old_one_no_more(model: ReadModel) -> None:
    await fill(model)
    await put(model, made(3, template="interview", speakers=("Carla",)), revision=2)
    assert await filtered(model, speaker="carla") == [3]
    assert await filtered(model, speaker="ben") == [1]
    assert await filtered(model, language_code="de") == [3]


async def test_pages_of_a_search_keep_their_filters(model: ReadModel) -> None:
    await fill(model)
    request = job.SearchJobsRequest(query="ship", page_size=1, speaker="okri")
    ids = []
    while True:
        page = await model.search(TENANT, request)
        ids += [hit.job.job_id for hit in page.hits]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert sorted(ids) == [job_id(1), job_id(2), job_id(3)]
    with pytest.raises(StageError):
        token = request.page_token
        await model.search(TENANT, job.SearchJobsRequest(query="ship", page_token=token))


@pytest.mark.parametrize("request_type", [job.ListJobsRequest, job.SearchJobsRequest])
async def test_a_name_of_too_many_characters_is_refused(
    model: ReadModel, request_type: Any
) -> None:
    read = model.list_page if request_type is job.ListJobsRequest else model.search
    request = request_type(speaker="x" * (MAX_QUERY_CHARACTERS + 1))
    if request_type is job.SearchJobsRequest:
        request.query = "word"
    with pytest.raises(StageError) as refused:
        await read(TENANT, request)
    assert (refused.value.reason, refused.value.field) == ("QUERY_INVALID", "speaker")


async def test_the_rows_of_a_release_before_stay_and_are_completed(
    model: ReadModel, database_url: str
) -> None:
    await fill(model)
    engine = create_engine(database_url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        for column in ("template_id", "speakers", "filters_revision", "language"):
            connection.execute(text(f"ALTER TABLE readmodel_jobs DROP COLUMN {column}"))
        connection.execute(text("ALTER TABLE readmodel_jobs DROP COLUMN language_indexed"))
    engine.dispose()
    async with open_read_model(database_url) as upgraded:
        assert await filtered(upgraded) == [1, 2, 3, 4]
        assert set((await upgraded.revisions()).values()) == {0}
        await fill(upgraded)
        assert await filtered(upgraded, speaker="anna", language_code="en") == [1, 2]
        assert set((await upgraded.revisions()).values()) == {1}


async def test_what_a_gateway_of_the_release_before_writes_is_completed(
    model: ReadModel, database_url: str
) -> None:
    await fill(model)
    engine = create_engine(database_url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        written = "UPDATE readmodel_jobs SET revision = 2, text_indexed = 'its own' WHERE job_id = "
        connection.execute(text(f"{written}'{job_id(1)}'"))
    engine.dispose()
    assert (await model.revisions())[job_id(1)] == 0
    assert not await show(model, made(1), 1)
    renamed = made(1, speakers=("Zoe",))
    assert await show(model, renamed, 2)
    assert await model.without_text(10) == [job_id(1)]
    await index(model, renamed, "fr")
    assert await filtered(model, speaker="zoe", language_code="fr") == [1]
    assert (await model.revisions())[job_id(1)] == 2
