"""Jobs in which words were found, best first, and the moments where they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.duration_pb2 import Duration
from sqlalchemy import ColumnElement, Connection, Row, Select, case, func, literal, select

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie_gateway.readmodel.entries import MAX_INT64, view_of
from maie_gateway.readmodel.fulltext import FullText
from maie_gateway.readmodel.paging import page_size
from maie_gateway.readmodel.query import Term, parse_query
from maie_gateway.readmodel.snippets import snippet
from maie_gateway.readmodel.tables import jobs, moments, texts
from maie_gateway.readmodel.tokens import page_key, page_token

DEFAULT_PAGE_SIZE = 20
MAX_PAGE_SIZE = 100
MAX_MOMENTS = 5
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
class Place:
    """Where a page begins.

    Attributes:
        newest: The number of the first job of its ranked lot.
        score: The score of the last job of the page before; with `number`
            None where a lot begins.
        number: That job's number.
    """

    newest: int = MAX_INT64
    score: float = 0.0
    number: int | None = None


@dataclass(kw_only=True, frozen=True, slots=True)
class Scored:
    """A job that holds all words."""

    number: int
    score: float

    @property
    def key(self) -> tuple[float, int]:
        """Sorts the best first, and of equals the newest."""
        return (-self.score, -self.number)


def search_page(
    connection: Connection, index: FullText, tenant: str, request: job.SearchJobsRequest
) -> job.SearchJobsResponse:
    """A page of a tenant's jobs that hold all words.

    Raises:
        StageError: INVALID_ARGUMENT with QUERY_INVALID, PAGE_TOKEN_INVALID or
            PAGE_SIZE_INVALID.
    """
    terms = parse_query(request.query)
    size = page_size(request.page_size, DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)
    place = _place(tenant, request)
    found: list[Scored] = []
    following: Place | None = place
    while following is not None and len(found) < size:
        taken, following = _take(connection, index, tenant, terms, following, size - len(found))
        found += taken
    page = job.SearchJobsResponse(hits=_hits(connection, found, terms))
    if following is not None:
        page.next_page_token = page_token(
            (following.newest, following.score, following.number or 0), tenant, request
        )
    return page


def _place(tenant: str, request: job.SearchJobsRequest) -> Place:
    if not request.page_token:
        return Place()
    newest, score, number = page_key(request.page_token, (int, float, int), tenant, request)
    return Place(newest=newest, score=score, number=number or None)


def _take(
    connection: Connection,
    index: FullText,
    tenant: str,
    terms: Sequence[Term],
    place: Place,
    size: int,
) -> tuple[list[Scored], Place | None]:
    """Takes up to `size` jobs from one lot, and tells where to go on, None at the end."""
    rows = connection.execute(_lot(index, tenant, terms, place.newest)).all()
    lot = sorted((_scored(row) for row in rows[:RANKED_JOBS]), key=lambda job: job.key)
    if place.number is not None:
        last = Scored(number=place.number, score=place.score)
        lot = [scored for scored in lot if scored.key > last.key]
    if len(lot) > size:
        end = lot[size - 1]
        return lot[:size], Place(newest=place.newest, score=end.score, number=end.number)
    more = len(rows) > RANKED_JOBS
    return lot, Place(newest=rows[RANKED_JOBS].number) if more else None


def _lot(index: FullText, tenant: str, terms: Sequence[Term], newest: int) -> Select[Any]:
    counts = [_occurrences(texts.c.words, term).label(f"n{i}") for i, term in enumerate(terms)]
    return (
        select(texts.c.number, func.length(texts.c.words), *counts)
        .join(jobs, jobs.c.number == texts.c.number)
        .where(jobs.c.tenant == tenant, texts.c.number <= newest, index.found(terms))
        .order_by(texts.c.number.desc())
        .limit(RANKED_JOBS + 1)
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
    return select(ranked).where(ranked.c.rank <= MAX_MOMENTS).order_by(ranked.c.rank)


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
