"""A stage's workers report on units of their own stage, and on no job as a whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from maie.common.v1 import types_pb2 as common
from maie.event.v1 import event_pb2 as event
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_gateway.conductor import may_publish
from maie_pipeline.bindings import BINDINGS
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from tests.empty_stages import Gate
from tests.gateway.conftest import EmptyMesh
from tests.gateway.pages import page, samples
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.mesh

UNIT = "asr.0000"
FAILED = {"unit": UNIT, "attempt": 1, "failed": event.UnitFailed()}
COMPLETED = {"unit": UNIT, "attempt": 1, "completed": event.UnitCompleted()}
CANCEL = {"cancel_requested": event.CancelRequested()}
RETRY = {"unit": UNIT, "retry_requested": event.RetryRequested()}
LATER_STAGE = 99


@pytest.mark.parametrize(
    ("stage", "what", "may"),
    [
        ("asr", COMPLETED, True),
        ("asr", FAILED, True),
        ("summary", COMPLETED, False),
        ("summary", FAILED, False),
        ("job", FAILED, False),
        ("asr", CANCEL, False),
        ("asr", RETRY, False),
        ("job", CANCEL, False),
        # The record that has the unit may be newer.
        ("summary", {**FAILED, "unit": "summary.reduce"}, True),
        # A later release, which knows the stage, has the last word.
        ("later", {**FAILED, "unit": "later"}, True),
    ],
)
def test_an_event_must_be_of_the_publishing_stage(stage: str, what: dict, may: bool) -> None:
    source = record.JobRecord(job_id="j")
    source.units.add(unit=UNIT, stage=common.STAGE_ASR)
    source.units.add(unit="later", stage=LATER_STAGE)
    assert may_publish(stage, event.StageEvent(job_id="j", **what), source) is may


async def recording() -> AsyncIterator[bytes]:
    yield b"not empty"


async def test_a_forged_event_is_dropped_and_dead_lettered_and_the_job_completes(
    empty_mesh: EmptyMesh, broker: Broker
) -> None:
    empty_mesh.stages["asr"].hook = gate = Gate()
    port = empty_mesh.measure_gateway()
    with capture_logs() as logs:
        async with empty_mesh.running() as client:
            job_id = (await client.create_job(recording(), features=("raw_transcript",))).job_id
            await gate.reached.wait()
            for stage, what in (("summary", FAILED), ("summary", COMPLETED), ("asr", CANCEL)):
                forged = event.StageEvent(job_id=job_id, worker="forger", **what)
                await broker.publish(subjects.event(stage, job_id), forged, message_id=str(what))
            await until(lambda: len(warnings(logs)) == 3)
            letters = subjects.dead_letter("event", job_id)

            async def dead_lettered() -> int:
                info = await broker.jetstream.stream_info(
                    subjects.DEAD_LETTERS, subjects_filter=letters
                )
                return (info.state.subjects or {}).get(letters, 0)

            async with asyncio.timeout(PATIENCE_SECONDS):
                while await dead_lettered() != 3:
                    await asyncio.sleep(0.02)
            # They are for operators; no tenant's job has such a unit.
            assert [each async for each in client.list_dead_letters()] == []
            assert (await client.get_job(job_id)).state == job.JOB_STATE_PROCESSING_ASR
            gate.opened.set()
            *_, last = [each async for each in client.watch_job(job_id)]
            foreign = samples(await page(port), "maie_events_foreign_total", "stage")
    counted = {"asr": 1, "summary": 2}
    assert foreign == {(stage,): counted.get(stage, 0) for stage in BINDINGS}
    assert last.finished.job.state == job.JOB_STATE_COMPLETE
    assert sorted(warnings(logs)) == [
        ("asr", "", "cancel_requested"),
        ("summary", UNIT, "completed"),
        ("summary", UNIT, "failed"),
    ]


def warnings(logs: list) -> list[tuple[str, str, str]]:
    """Stage, unit and kind of each event that was dropped."""
    return [
        (each["stage"], each["unit"], each["kind"])
        for each in logs
        if each["event"] == "conductor.foreign_event" and each["log_level"] == "warning"
    ]
