"""Job records as a conductor would write them, without the work."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_gateway.readmodel import JobText, ReadModel, TextMoment, job_entry
from maie_gateway.readmodel.entries import text_version

START = datetime(2026, 1, 1, tzinfo=UTC)
TENANT = "acme"


def job_id(number: int) -> str:
    """The id of the test's job with that number; ids sort by number."""
    return str(UUID(int=number))


def job_record(
    number: int,
    *,
    tenant: str = TENANT,
    state: job.JobState = job.JOB_STATE_COMPLETE,
    labels: dict[str, str] | None = None,
    seconds: float | None = None,
    output: str = "",
) -> record.JobRecord:
    """A record of a job that was accepted `seconds` (or `number`) seconds after START."""
    made = record.JobRecord(
        job_id=job_id(number),
        tenant=tenant,
        state=state,
        display_name=f"job {number}",
        labels=labels,
    )
    entry = made.log.add(state_changed=job.JobStateChanged(state=state))
    entry.event_time.FromDatetime(at(number if seconds is None else seconds))
    if output:
        made.units.add(
            unit="asr.0000",
            stage=common.STAGE_ASR,
            state=job.UNIT_STATE_COMPLETED,
            output=common.Blob(key=output, sha256=output),
        )
    return made


def at(seconds: float) -> datetime:
    """A moment after START."""
    return START + timedelta(seconds=seconds)


async def show(model: ReadModel, made: record.JobRecord, revision: int) -> bool:
    """Shows a job as its record says; False where a newer one is shown already."""
    return await model.apply_all([job_entry(made, revision)]) == 1


async def index(model: ReadModel, job_id: str, version: str, moments: Sequence[TextMoment]) -> bool:
    """Makes a job's text the one to be found; False where its record wants another."""
    text = JobText(job_id=job_id, version=version, moments=moments)
    return bool(await model.index_texts([text]))


async def put(model: ReadModel, *records: record.JobRecord, revision: int = 1) -> None:
    """Shows jobs in a read model."""
    for made in records:
        assert await show(model, made, revision)


async def put_text(model: ReadModel, number: int, *texts: str, **options: Any) -> None:
    """Shows a finished job with text, each text a segment of one second."""
    made = job_record(number, **options)
    await put(model, made)
    moments = [
        TextMoment(
            text=text,
            segment_id=f"c0000-s{place:04d}",
            start=place * 1_000_000,
            end=(place + 1) * 1_000_000,
        )
        for place, text in enumerate(texts)
    ]
    assert await index(model, made.job_id, text_version(made), moments)
