"""Which text of a job can be found, and where it belongs."""

from __future__ import annotations

import pytest
from google.protobuf.duration_pb2 import Duration

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.summary.v1 import summary_pb2 as summary
from maie_gateway.readmodel import TextMoment, text_moments

pytestmark = pytest.mark.unit


def span(start: int, end: int) -> common.TimeRange:
    return common.TimeRange(start_offset=Duration(seconds=start), end_offset=Duration(seconds=end))


def test_a_segment_is_found_by_the_text_that_people_read() -> None:
    results = job.JobResults(
        segments=[
            common.Segment(
                segment_id="c0000-s0000",
                start_offset=Duration(seconds=1, nanos=500_000_000),
                end_offset=Duration(seconds=2),
                text="we ship it",
                clean_text="We ship it.",
            ),
            common.Segment(segment_id="c0000-s0001", text="raw only"),
        ]
    )
    first, second = text_moments(results)
    assert first == TextMoment(
        text="We ship it.", segment_id="c0000-s0000", start=1_500_000, end=2_000_000
    )
    assert second.text == "raw only"


def test_an_item_of_a_summary_has_the_place_where_it_first_comes_up() -> None:
    filled = summary.Summary(
        citations=[
            summary.Citation(pointer="/actions/0", ranges=[span(3, 5), span(60, 65)]),
            summary.Citation(pointer="/title"),
        ]
    )
    filled.content.update(
        {
            "title": "Standup",
            "actions": [{"task": "ship it", "owner": "Ada", "days": 3}, {"task": "rest"}],
            "a/b~c": "odd name",
        }
    )
    assert text_moments(job.JobResults(summary=filled)) == [
        TextMoment(text="odd name", pointer="/a~1b~0c"),
        TextMoment(text="Ada ship it", pointer="/actions/0", start=3_000_000, end=5_000_000),
        TextMoment(text="rest", pointer="/actions/1/task"),
        TextMoment(text="Standup", pointer="/title"),
    ]


def test_a_job_without_results_has_no_text() -> None:
    assert text_moments(job.JobResults()) == []
