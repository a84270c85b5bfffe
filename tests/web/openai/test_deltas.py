"""The text of a job in pieces, for each order in which its chunks may end."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

import pytest

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie_web.openai.deltas import Deltas

CHUNKS = 3
WHOLE = "word 0 word 1 word 2"


@pytest.mark.parametrize("order", list(permutations(range(CHUNKS))))
@pytest.mark.parametrize("ahead", [False, True], ids=["after its unit", "ahead of its unit"])
def test_each_chunk_is_sent_once_and_in_order(order: tuple[int, ...], ahead: bool) -> None:
    deltas = Deltas(job.JobConfig(features=[job.FEATURE_RAW_TRANSCRIPT]))
    events = [event for chunk in order for event in _unit(chunk, ahead)]
    pieces = [piece for event in [*events, _finished()] for piece in deltas.of(event)]
    assert "".join(pieces) == WHOLE


def test_text_of_the_next_chunk_waits_for_nothing() -> None:
    deltas = Deltas(job.JobConfig(features=[job.FEATURE_RAW_TRANSCRIPT]))
    pieces = [piece for event in _unit(0, ahead=False) for piece in deltas.of(event)]
    assert pieces == ["word 0"]


def test_text_that_another_attempt_reads_otherwise_is_not_sent_twice() -> None:
    deltas = Deltas(job.JobConfig(features=[job.FEATURE_RAW_TRANSCRIPT]))
    other = job.JobEvent(segment=common.Segment(segment_id="c0000-0000", text="Word 0"))
    events = [_segment(0), other, _unit_ended(0), _finished()]
    assert [piece for event in events for piece in deltas.of(event)] == ["word 0", " word 1 word 2"]


def _unit(chunk: int, ahead: bool) -> Iterator[job.JobEvent]:
    """The events of one chunk; a worker may send its text ahead of the end of its unit."""
    if ahead:
        yield _segment(chunk)
    yield _unit_ended(chunk)
    yield job.JobEvent(stage_progress=job.StageProgress(stage=common.STAGE_ASR))
    if not ahead:
        yield _segment(chunk)


def _unit_ended(chunk: int) -> job.JobEvent:
    return job.JobEvent(
        unit_ended=job.UnitEnded(
            unit=f"asr.{chunk:04d}", stage=common.STAGE_ASR, state=job.UNIT_STATE_COMPLETED
        )
    )


def _segment(chunk: int) -> job.JobEvent:
    return job.JobEvent(
        segment=common.Segment(segment_id=f"c{chunk:04d}-0000", text=f"word {chunk}")
    )


def _finished() -> job.JobEvent:
    segments = [_segment(chunk).segment for chunk in range(CHUNKS)]
    return job.JobEvent(
        finished=job.JobFinished(job=job.Job(results=job.JobResults(segments=segments)))
    )
