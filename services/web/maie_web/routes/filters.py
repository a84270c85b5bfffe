"""What jobs a list or a search is about, in a query."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, cast

from litestar.di import NamedDependency, Provide
from litestar.params import QueryParameter

from maie.job.v1 import job_pb2 as job
from maie_client.filters import JobFilters, filter_fields
from maie_core.errors import invalid
from maie_core.reasons import Reason

FilterFields = NamedDependency[dict[str, Any]]
"""The fields of a ListJobsRequest or a SearchJobsRequest."""


async def _fields(
    states: Annotated[
        list[str] | None,
        QueryParameter(
            name="state", description="Only jobs in one of these states, such as COMPLETE."
        ),
    ] = None,
    labels: Annotated[
        list[str] | None,
        QueryParameter(name="label", description="Only jobs with this label, as KEY=VALUE."),
    ] = None,
    accepted_from: Annotated[
        datetime | None,
        QueryParameter(description="Only jobs that were accepted at this time or later."),
    ] = None,
    accepted_until: Annotated[
        datetime | None,
        QueryParameter(description="Only jobs that were accepted before this time."),
    ] = None,
    recording: Annotated[
        str,
        QueryParameter(
            description="Only jobs of this recording, by the field `recording_sha256` of a job."
        ),
    ] = "",
    template: Annotated[str, QueryParameter(description="Only jobs that fill this template.")] = "",
    language: Annotated[
        str,
        QueryParameter(
            description='Only finished jobs in this language, a BCP-47 tag: "en" is "en-GB" too.'
        ),
    ] = "",
    speaker: Annotated[
        str,
        QueryParameter(
            description="Only jobs with a speaker whose name has these words next to each other: "
            '"okri" is "Ben Okri" too.'
        ),
    ] = "",
) -> dict[str, Any]:
    filters = JobFilters(
        states=[_state(name) for name in states or ()],
        labels=_labels(labels or ()),
        accepted_from=accepted_from,
        accepted_until=accepted_until,
        recording_sha256=recording,
        template_id=template,
        language_code=language,
        speaker=speaker,
    )
    return filter_fields(filters)


FILTERS = {"filters": Provide(_fields)}


def _state(name: str) -> job.JobState:
    try:
        return cast(job.JobState, job.JobState.Value(f"JOB_STATE_{name}"))
    except ValueError as error:
        raise invalid(
            Reason.FIELD_INVALID,
            "There is no such state; use those of the field `state` of jobs, such as COMPLETE.",
            field="state",
        ) from error


def _labels(pairs: Sequence[str]) -> dict[str, str]:
    labels = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise invalid(
                Reason.FIELD_INVALID, "A label is written KEY=VALUE; write it so.", field="label"
            )
        labels[key] = value
    return labels
