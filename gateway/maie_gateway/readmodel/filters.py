"""What jobs a list or a search is about, as conditions on their rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from sqlalchemy import ColumnElement, and_, func, or_, select

from maie.job.v1 import job_pb2 as job
from maie_gateway.readmodel.entries import microseconds
from maie_gateway.readmodel.tables import jobs, labels
from maie_gateway.readmodel.words import spaced, storable, words

Filtered: TypeAlias = job.ListJobsRequest | job.SearchJobsRequest

Conditions: TypeAlias = list[ColumnElement[bool]]


def all_filters(request: Filtered) -> Conditions:
    """All that a request says of the jobs that it is about."""
    conditions = [*accepted(jobs.c.create_time, request), *of_content(request)]
    if request.states:
        conditions.append(jobs.c.state.in_(sorted(set(request.states))))
    if request.labels:
        conditions.append(has_labels(jobs.c.number, request.labels))
    return conditions


def of_content(request: Filtered) -> Conditions:
    """Of the recording, its language and speakers, and of what is made of it."""
    conditions: Conditions = []
    if request.recording_sha256:
        conditions.append(jobs.c.recording_sha256 == request.recording_sha256)
    if request.template_id:
        conditions.append(jobs.c.template_id == storable(request.template_id))
    if tag := storable(request.language_code.lower()):
        narrower = jobs.c.language.startswith(f"{tag}-", autoescape=True)
        conditions.append(or_(jobs.c.language == tag, narrower))
    if name := spaced(words(request.speaker)):
        conditions.append(jobs.c.speakers.contains(name, autoescape=True))
    return conditions


def accepted(create_time: ColumnElement[int], request: Filtered) -> Conditions:
    """Of the time at which they were accepted.

    Args:
        create_time: That time; a column of the index along which the jobs are read.
        request: What is asked for.
    """
    conditions: Conditions = []
    if request.HasField("accepted_from"):
        conditions.append(create_time >= microseconds(request.accepted_from))
    if request.HasField("accepted_until"):
        conditions.append(create_time < microseconds(request.accepted_until))
    return conditions


def has_labels(number: ColumnElement[int], wanted: Mapping[str, str]) -> ColumnElement[bool]:
    """Whether a job has all of some labels.

    They are counted: to plan a join of each would take longer than to run it.

    Args:
        number: The job's number, a column of the query around.
        wanted: The labels.
    """
    own = labels.alias("own")
    pairs = [
        and_(own.c.key == storable(key), own.c.value == storable(value))
        for key, value in wanted.items()
    ]
    counted = select(func.count()).select_from(own).where(own.c.number == number, or_(*pairs))
    return counted.correlate(number.table).scalar_subquery() == len(wanted)
