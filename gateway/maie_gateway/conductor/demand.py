"""How much of a job could run at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_pipeline.states import ENDED_STATES, FINAL_STATES


def runnable_units(source: record.JobRecord) -> Mapping[common.Stage, int]:
    """The units that could run at once, by stage, were there slots for all of them.

    Args:
        source: The job's record. In one of an earlier release, which does not say what units need,
            only those count that are queued.

    Returns:
        How many units are queued, or wait although all that they need has ended; nothing of a job
        that is finished or waits for its tenant's turn.
    """
    if source.held or source.state in FINAL_STATES:
        return {}
    has_ended = [unit.state in ENDED_STATES for unit in source.units]
    return Counter(unit.stage for unit in source.units if _could_run(unit, has_ended))


def _could_run(unit: record.Unit, has_ended: list[bool]) -> bool:
    if unit.state == job.UNIT_STATE_WAITING:
        return unit.HasField("needs") and all(has_ended[place] for place in unit.needs.places)
    return unit.state == job.UNIT_STATE_QUEUED
