"""Search over transcripts and summaries, on both databases."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from maie.job.v1 import job_pb2 as job
from maie_core.errors import StageError
from maie_gateway.readmodel import ReadModel, TextMoment, fulltext
from maie_gateway.readmodel import search as readmodel_search
from maie_gateway.readmodel.entries import job_entry, text_version
from maie_gateway.readmodel.query import parse_query
from maie_gateway.readmodel.snippets import MAX_SNIPPET_LENGTH, snippet
from maie_gateway.readmodel.words import words
from tests.gateway.readmodel.records import TENANT, index, job_id, job_record, put, put_text, show

pytestmark = pytest.mark.unit

LONG_WORDS = 20_000


async def search(model: ReadModel, query: str, **options: Any) -> job.SearchJobsResponse:
    return await model.search(TENANT, job.SearchJobsRequest(query=query, **options))


async def found(model: ReadModel, query: str, **options: Any) -> list[int]:
    """The numbers of the jobs found over all pages, best first."""
    numbers: list[int] = []
    token = str(options.pop("page_token", ""))
    while True:
        page = await search(model, query, page_token=token, **options)
        numbers += [int(hit.job.display_name.split()[1]) for hit in page.hits]
        if not (token := page.next_page_token):
            return numbers


async def test_all_words_must_be_in_a_job_in_any_order_and_moment(model: ReadModel) -> None:
    await put_text(model, 1, "The budget is tight.", "Then comes the release.")
    await put_text(model, 2, "The budget again.")
    assert await found(model, "release budget") == [1]
    assert sorted(await found(model, "BUDGET")) == [1, 2]
    assert await found(model, "budget holiday") == []


async def test_a_phrase_is_found_as_it_stands_and_within_one_moment(model: ReadModel) -> None:
    await put_text(model, 1, "the blue bug", "budget review")
    assert await found(model, '"blue bug"') == [1]
    assert await found(model, '"bug blue"') == []
    assert await found(model, '"bug budget"') == []
    assert await found(model, "bug budget") == [1]


async def test_a_beginning_is_found_with_a_star_and_not_without(model: ReadModel) -> None:
    await put_text(model, 1, "We released it.")
    assert await found(model, "releas*") == [1]
    assert await found(model, "releas") == []
    assert await found(model, '"we" releas*') == [1]


async def test_case_and_accents_make_no_difference_and_scripts_without_spaces_work(
    model: ReadModel,
) -> None:
    await put_text(model, 1, "Das Café in ZÜRICH")
    await put_text(model, 2, "来週の会議は月曜日です")
    assert await found(model, "cafe zürich") == [1]
    assert await found(model, "会議") == [2]
    assert await found(model, "議会") == []


async def test_a_hit_tells_the_moments_with_most_of_the_words_first(model: ReadModel) -> None:
    texts = ["one budget", *(f"budget {number}" for number in range(8)), "release of the budget"]
    await put_text(model, 1, *texts)
    (hit,) = (await search(model, "budget release")).hits
    assert hit.job.job_id == job_id(1)
    assert [moment.segment_id for moment in hit.moments] == [
        "c0000-s0009",
        "c0000-s0000",
        "c0000-s0001",
        "c0000-s0002",
        "c0000-s0003",
    ]
    first = hit.moments[0]
    assert first.snippet == "release of the budget"
    assert first.range.start_offset.ToSeconds() == 9
    assert first.range.end_offset.ToSeconds() == 10
    assert not first.pointer


async def test_an_item_of_a_summary_is_found_by_its_pointer(model: ReadModel) -> None:
    made = job_record(1)
    await put(model, made)
    items = [TextMoment(text="Ship the release", pointer="/decisions/0")]
    assert await index(model, made.job_id, text_version(made), items)
    (hit,) = (await search(model, "ship")).hits
    (moment,) = hit.moments
    assert (moment.pointer, moment.segment_id) == ("/decisions/0", "")
    assert not moment.HasField("range")


async def test_the_job_with_more_of_the_words_for_its_length_comes_first(model: ReadModel) -> None:
    filler = "some other words that fill the time " * 40
    await put_text(model, 1, "budget and again the budget, only the budget counts")
    await put_text(model, 2, "budget " + filler)
    await put_text(model, 3, "a budget in short")
    assert await found(model, "budget") == [1, 3, 2]


async def test_tenants_find_their_own_jobs_only(model: ReadModel) -> None:
    await put_text(model, 1, "budget", tenant="other")
    assert await found(model, "budget") == []


async def test_a_job_that_is_gone_does_not_come_back_with_its_text(model: ReadModel) -> None:
    made = job_record(1)
    await put(model, made, job_record(2))
    await model.remove(made.job_id)
    await model.refresh_all([job_entry(made, 9)])
    assert await model.count() == 1


async def test_text_of_another_version_than_the_record_wants_is_refused(model: ReadModel) -> None:
    await put_text(model, 1, "the old text", output="one")
    retried = job_record(1, state=job.JOB_STATE_PENDING, output="one")
    assert await show(model, retried, 2)
    assert await found(model, "old") == [1]  # what there is can be found until there is more
    done = job_record(1, output="two")
    assert await show(model, done, 3)
    assert await model.without_text(10) == [job_id(1)]
    stale = [TextMoment(text="stale")]
    assert not await index(model, job_id(1), text_version(job_record(1, output="one")), stale)
    assert await index(model, job_id(1), text_version(done), [TextMoment(text="the new text")])
    assert await found(model, "new") == [1]
    assert await found(model, "old") == []
    assert await model.without_text(10) == []


async def test_text_that_is_indexed_twice_is_found_once(model: ReadModel) -> None:
    made = job_record(1)
    await put(model, made)
    for _ in range(2):
        await index(model, made.job_id, text_version(made), [TextMoment(text="budget")])
    (hit,) = (await search(model, "budget")).hits
    assert len(hit.moments) == 1


async def test_a_removed_job_is_not_found_and_leaves_no_text(model: ReadModel) -> None:
    await put_text(model, 1, "budget")
    await put_text(model, 2, "budget")
    await model.remove(job_id(1))
    assert await found(model, "budget") == [2]
    await model.clear()
    assert await found(model, "budget") == []


async def test_a_job_without_words_is_done_with(model: ReadModel) -> None:
    await put_text(model, 1, "", "…")
    assert await model.without_text(10) == []


async def test_pages_of_a_search_hold_every_job_once(
    model: ReadModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readmodel_search, "RANKED_JOBS", 20)
    total = 70
    for number in range(total):
        await put_text(model, number, "budget " * (number % 7 + 1), "and more")
    numbers = await found(model, "budget more", page_size=7)
    assert sorted(numbers) == list(range(total))
    best = await search(model, "budget")
    assert len(best.hits) == 20


async def test_pages_of_a_search_stay_while_jobs_come_and_go(
    model: ReadModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readmodel_search, "RANKED_JOBS", 20)
    total = 50
    for number in range(total):
        await put_text(model, number, "budget " * (number % 5 + 1), "more")
    first = await search(model, "budget", page_size=10)
    seen = [int(hit.job.display_name.split()[1]) for hit in first.hits]
    await put_text(model, total, "budget budget budget budget")
    await model.remove(job_id(seen[0]))
    await model.remove(job_id(seen[1]))
    rest = await found(model, "budget", page_size=7, page_token=first.next_page_token)
    assert sorted(seen + rest) == list(range(total))


@pytest.mark.parametrize("frequent_rows", [0, 1_000_000])
async def test_both_ways_to_the_newest_jobs_lead_to_the_same(
    model: ReadModel, monkeypatch: pytest.MonkeyPatch, frequent_rows: int
) -> None:
    """However frequent PostgreSQL takes the words for."""
    monkeypatch.setattr(fulltext, "FREQUENT_ROWS", frequent_rows)
    for number in range(8):
        await put_text(model, number, "the release" if number % 2 else "release the", "budget")
    assert sorted(await found(model, '"the release" bud*', page_size=3)) == [1, 3, 5, 7]
    assert sorted(await found(model, "release", page_size=3)) == list(range(8))
    assert await found(model, "holiday") == []


async def test_phrases_are_found_far_into_a_long_recording(model: ReadModel) -> None:
    texts = [f"word {number} and so on" for number in range(LONG_WORDS // 5)]
    await put_text(model, 1, *texts, "at last the very end")
    assert await found(model, '"the very end"') == [1]
    assert await found(model, '"very the"') == []


async def test_a_page_token_of_another_query_is_refused(model: ReadModel) -> None:
    for number in range(3):
        await put_text(model, number, "budget release")
    token = (await search(model, "budget", page_size=1)).next_page_token
    with pytest.raises(StageError) as refused:
        await search(model, "release", page_token=token)
    assert refused.value.reason == "PAGE_TOKEN_INVALID"


def test_a_snippet_is_cut_at_words_around_what_was_found() -> None:
    text = "filler words " * 30 + "the release is near " + "and more words " * 30
    shown = snippet(text, parse_query("release"))
    assert "the release is near" in shown
    assert shown.startswith("…")
    assert shown.endswith("…")
    assert all(word in text.split() for word in shown.strip("…").split())


def test_a_snippet_is_the_text_itself_and_no_markup() -> None:
    assert snippet("a <b>bold</b>\n plan", parse_query("bold")) == "a <b>bold</b> plan"


@given(text=st.text(max_size=2000), at=st.integers(0, 2000))
@example(text="x" * 1000, at=0)
@example(text="会" * 1000 + "議", at=1000)
def test_a_snippet_is_short_and_a_part_of_the_text(text: str, at: int) -> None:
    found_words = words(text[at : at + 8]) or ["nothing"]
    shown = snippet(text, parse_query(found_words[0]))
    assert len(shown) <= MAX_SNIPPET_LENGTH
    assert shown.removeprefix("…").removesuffix("…") in " ".join(text.split())
