"""Jobs in which words were found, best first, and the moments where they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from google.protobuf.duration_pb2 import Duration
from sqlalchemy import ColumnElement, Connection, Row, Select, case, func, literal, select

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie_core.limits import MAX_SEARCH_MOMENTS, MAX_SEARCH_PAGE_SIZE
from maie_gateway.readmodel.entries import MAX_INT64, view_of
from maie_gateway.readmodel.filters import all_filters
from maie_gateway.readmodel.fulltext import FullText
from maie_gateway.readmodel.paging import page_size
from maie_gateway.readmodel.query import Term, parse_query
from maie_gateway.readmodel.snippets import snippet
from maie_gateway.readmodel.tables import jobs, moments, texts
from maie_gateway.readmodel.tokens import page_key, page_token

DEFAULT_PAGE_SIZE = 20
# So many of the newest jobs with the words are put in order of merit; after
# them come the next so many. It bounds the cost of a word that every job holds.
RANKED_JOBS = 200
# Term saturation and length normalisation of BM25 (Robertson and Zaragoza, "The
# Probabilistic Relevance Framework: BM25 and Beyond", 2009), with its usual
# constants. Two things are left out so that a job's score depends on the job
# alone and pages stay as they are: the weight of rare words (all words must be
# there in every job anyway) and the mean length, for which a fixed one stands.
SATURATION = 1.2
LENGTH_NORMALISATION = 0.75
USUAL_CHARACTERS = 10_000


@dataclass(kw_only=True, frozen=True, slots=True)
class Scored:
    """A job that holds all words."""

    number: int
    score: float

    @property
    def key(self) -> tuple[float, int]:
        """Sorts the best first, and of equals the newest."""
        return (-self.score, -self.number)


@dataclass(kw_only=True, frozen=True, slots=True)
class Place:
    """Where a page begins: where a lot of ranked jobs begins, or after a job of one.

    A lot that was begun keeps its bounds, so that jobs that come or go between
    two pages bring no other job twice or not at all.

    Attributes:
        newest: The highest number in the lot.
        oldest: The lowest number in the lot; unset where it is still to be found.
        after: The last job of the page before; None where the lot begins.
    """

    newest: int = MAX_INT64
    oldest: int = 0
    after: Scored | None = None


def search_page(
    connection: Connection, index: FullText, tenant: str, request: job.SearchJobsRequest
) -> job.SearchJobsResponse:
    """A page of a tenant's jobs that hold all words.

    Raises:
        StageError: INVALID_ARGUMENT with QUERY_INVALID, PAGE_TOKEN_INVALID or
            PAGE_SIZE_INVALID.
    """
    terms, size, place = asked_page(tenant, request)
    conditions = [jobs.c.tenant == tenant, index.found(connection, terms), *all_filters(request)]
    matches = _matches(terms).where(*conditions)
    found: list[Scored] = []
    following: Place | None = place
    while following is not None and len(found) < size:
        taken, following = _take(connection, matches, following, size - len(found))
        found += taken
    page = job.SearchJobsResponse(hits=_hits(connection, found, terms))
    if following is not None:
        page.next_page_token = page_token(_key(following), tenant, request)
    return page


def asked_page(tenant: str, request: job.SearchJobsRequest) -> tuple[tuple[Term, ...], int, Place]:
    """What is looked for, the size of the page that is asked for, and where it begins.

    Raises:
        StageError: INVALID_ARGUMENT with QUERY_INVALID, PAGE_TOKEN_INVALID or
            PAGE_SIZE_INVALID.
    """
    size = page_size(request.page_size, DEFAULT_PAGE_SIZE, MAX_SEARCH_PAGE_SIZE)
    return parse_query(request.query), size, _place(tenant, request)


def _key(place: Place) -> tuple[int, int, int, float]:
    after = place.after or Scored(number=0, score=0.0)
    return (place.newest, place.oldest, after.number, after.score)


def _place(tenant: str, request: job.SearchJobsRequest) -> Place:
    if not request.page_token:
        return Place()
    kinds = (int, int, int, float)
    newest, oldest, number, score = page_key(request.page_token, kinds, tenant, request)
    after = Scored(number=number, score=score) if number else None
    return Place(newest=newest, oldest=oldest, after=after)


def _take(
    connection: Connection, matches: Select[Any], place: Place, size: int
) -> tuple[list[Scored], Place | None]:
    """Takes up to `size` jobs from one lot; also returns where to continue, None at the end."""
    query = matches.where(texts.c.number.between(place.oldest, place.newest))
    if place.after is None:
        rows = connection.execute(query.limit(RANKED_JOBS + 1)).all()
        more = len(rows) > RANKED_JOBS
        rows = rows[:RANKED_JOBS]
        newest = rows[0].number if rows else 0
        place = Place(newest=newest, oldest=rows[-1].number if more else 0)
    else:
        rows = connection.execute(query).all()
    lot = sorted((_scored(row) for row in rows), key=lambda scored: scored.key)
    if place.after is not None:
        lot = [scored for scored in lot if scored.key > place.after.key]
    if len(lot) > size:
        return lot[:size], replace(place, after=lot[size - 1])
    return lot, Place(newest=place.oldest - 1) if place.oldest else None


def _matches(terms: Sequence[Term]) -> Select[Any]:
    """Jobs, newest first, with how often each term is in them."""
    counts = [_occurrences(texts.c.words, term).label(f"n{i}") for i, term in enumerate(terms)]
    return (
        select(texts.c.number, func.length(texts.c.words), *counts)
        .join(jobs, jobs.c.number == texts.c.number)
        .order_by(texts.c.number.desc())
    )


def _occurrences(words: ColumnElement[str], term: Term) -> ColumnElement[Any]:
    removed = func.length(words) - func.length(func.replace(words, term.needle, ""))
    return removed / literal(len(term.needle))


def _scored(row: Row[Any]) -> Scored:
    number, length, *counts = tuple(row)
    norm = 1 - LENGTH_NORMALISATION + LENGTH_NORMALISATION * length / USUAL_CHARACTERS
    score = sum(float(count) / (float(count) + SATURATION * norm) for count in counts)
    return Scored(number=number, score=score)


def _hits(
    connection: Connection, found: Sequence[Scored], terms: Sequence[Term]
) -> list[job.SearchHit]:
    numbers = [scored.number for scored in found]
    rows = connection.execute(select(jobs.c.number, jobs.c.view).where(jobs.c.number.in_(numbers)))
    hits = {row.number: job.SearchHit(job=view_of(row.view)) for row in rows}
    for row in connection.execute(_best_moments(numbers, terms)):
        if row.number in hits:
            hits[row.number].moments.append(_moment(row, terms))
    return [hits[number] for number in numbers if number in hits]


def _best_moments(numbers: Iterable[int], terms: Sequence[Term]) -> Select[Any]:
    """Each job's moments with the most of the terms, the earliest of equals first."""
    merit = sum(
        (case((moments.c.words.contains(term.needle), 1), else_=0) for term in terms),
        start=literal(0),
    )
    rated = (
        select(moments, merit.label("merit"))
        .where(moments.c.number.in_(list(numbers)))
        .subquery("rated")
    )
    rank = func.row_number().over(
        partition_by=rated.c.number, order_by=(rated.c.merit.desc(), rated.c.position)
    )
    ranked = select(rated, rank.label("rank")).where(rated.c.merit > 0).subquery("ranked")
    return select(ranked).where(ranked.c.rank <= MAX_SEARCH_MOMENTS).order_by(ranked.c.rank)


def _moment(row: Row[Any], terms: Sequence[Term]) -> job.Moment:
    moment = job.Moment(
        segment_id=row.segment_id, pointer=row.pointer, snippet=snippet(row.text, terms)
    )
    if row.start_offset is not None:
        span = common.TimeRange(
            start_offset=_duration(row.start_offset), end_offset=_duration(row.end_offset)
        )
        moment.range.CopyFrom(span)
    return moment


def _duration(microseconds: int) -> Duration:
    offset = Duration()
    offset.FromMicroseconds(microseconds)
    return offset
