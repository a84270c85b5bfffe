"""What a query means, and that no query is too strange for a database."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from maie.job.v1 import job_pb2 as job
from maie_core.errors import Code, StageError
from maie_core.limits import MAX_QUERY_CHARACTERS
from maie_gateway.readmodel import ReadModel
from maie_gateway.readmodel.query import Term, parse_query
from maie_gateway.readmodel.words import words
from tests.gateway.readmodel.records import TENANT, put_text
from tests.properties import examples

pytestmark = pytest.mark.unit


def term(*parts: str, prefix: bool = False) -> Term:
    return Term(words=parts, prefix=prefix)


@pytest.mark.parametrize(
    ("query", "terms"),
    [
        ("budget", [term("budget")]),
        ("  Budget   RELEASE ", [term("budget"), term("release")]),
        ('"the release" budget', [term("the", "release"), term("budget")]),
        ("releas*", [term("releas", prefix=True)]),
        ("the releas* ", [term("the"), term("releas", prefix=True)]),
        ("releas* budget", [term("releas"), term("budget")]),
        ('"the releas*"', [term("the", "releas")]),
        ('budget "the rel', [term("budget"), term("the", "rel")]),
        ("co-op*", [term("co", "op", prefix=True)]),
        ("café naïve", [term("cafe"), term("naive")]),
        ("budget Budget", [term("budget")]),
        ("会議", [term("会", "議")]),
        ("NEAR(a b) OR -c", [term("near", "a"), term("b"), term("or"), term("c")]),
    ],
)
def test_a_query_is_words_phrases_and_at_last_a_beginning(query: str, terms: list[Term]) -> None:
    assert list(parse_query(query)) == terms


@pytest.mark.parametrize("query", ["", "   ", '""', "*", "?!", "a" * (MAX_QUERY_CHARACTERS + 1)])
def test_a_query_without_words_or_with_too_many_characters_is_refused(query: str) -> None:
    with pytest.raises(StageError) as refused:
        parse_query(query)
    assert (refused.value.code, refused.value.reason) == (Code.INVALID_ARGUMENT, "QUERY_INVALID")
    assert refused.value.field == "query"


@given(st.text())
def test_words_hold_letters_and_digits_only(text: str) -> None:
    for word in words(text):
        assert word
        assert not set(word) & set("\"'*:&|!()<>%_\\ \0")


@settings(max_examples=examples(150), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    query=st.text(max_size=MAX_QUERY_CHARACTERS) | st.text("ab \"*'\\%_&|!:()<>-\0", max_size=40)
)
@example(query="a " * (MAX_QUERY_CHARACTERS // 2))
@example(query=" ".join(chr(letter) for letter in range(0x3B1, 0x3B1 + 128)))
@example(query="\ufdfa" * MAX_QUERY_CHARACTERS)
@example(query="\ufdfa " * (MAX_QUERY_CHARACTERS // 2))
@example(query="会" * MAX_QUERY_CHARACTERS)
@example(query='"a" AND NOT "b" OR NEAR("c")')
async def test_no_query_makes_a_database_raise(model: ReadModel, query: str) -> None:
    if await model.count() == 0:
        await put_text(model, 1, "the budget of the release", "a b")
    if words(query) and len(query) <= MAX_QUERY_CHARACTERS:
        await model.search(TENANT, job.SearchJobsRequest(query=query))
    else:
        with pytest.raises(StageError, match=r"A query "):
            await model.search(TENANT, job.SearchJobsRequest(query=query))


@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=80), more=st.text(max_size=80))
async def test_a_text_is_found_by_its_own_words(model: ReadModel, text: str, more: str) -> None:
    await model.clear()
    await put_text(model, 1, more, text)
    for word in words(text):
        for query in (word, f"{word[:3]}*"):
            found = await model.search(TENANT, job.SearchJobsRequest(query=query))
            assert len(found.hits) == 1
            assert found.hits[0].moments
