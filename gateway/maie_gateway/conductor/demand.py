"""How many units of a job could run at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_pipeline.live_session import AUDIO_UNIT, LIVE_PIPELINES, LIVE_UNIT
from maie_pipeline.states import ENDED_STATES, FINAL_STATES, GIVEN_UP_STATES


def runnable_units(source: record.JobRecord) -> Mapping[common.Stage, int]:
    """The units, by stage, that could run at once if all of them had slots.

    Args:
        source: The job's record. Where an earlier release wrote it, without the units' needs,
            only queued units count.

    Returns:
        How many units are queued, or wait although all that they need has ended; empty for a job
        that is finished, held or a live session that runs.
    """
    if source.held or source.state in FINAL_STATES or is_live(source):
        return {}
    has_ended = [unit.state in ENDED_STATES for unit in source.units]
    return Counter(
        unit.stage
        for unit in source.units
        # A gateway runs that one.
        if unit.unit != AUDIO_UNIT and _could_run(unit, has_ended)
    )


def has_optional_units_alone(source: record.JobRecord) -> bool:
    """Whether all that a job waits for are optional units."""
    if source.held or source.state in FINAL_STATES:
        return False
    open_units = [unit for unit in source.units if unit.state not in ENDED_STATES]
    return bool(open_units) and all(unit.is_optional for unit in open_units)


def has_optional_done(source: record.JobRecord) -> bool:
    """Whether some of a job's optional units have their results."""
    return any(unit.is_optional and unit.state == job.UNIT_STATE_COMPLETED for unit in source.units)


def has_given_up_optional(source: record.JobRecord) -> bool:
    """Whether a job ended without some of its optional units."""
    return source.state in FINAL_STATES and any(
        unit.is_optional and unit.state in GIVEN_UP_STATES for unit in source.units
    )


def is_live(source: record.JobRecord) -> bool:
    """Whether a live session still runs: nothing else of the job can."""
    if source.state in FINAL_STATES or source.pipeline not in LIVE_PIPELINES:
        return False
    return any(u.unit == LIVE_UNIT and u.state not in ENDED_STATES for u in source.units)


def is_audio_due(source: record.JobRecord) -> bool:
    """Whether the audio of a live session is to be put together."""
    if source.state in FINAL_STATES or source.pipeline not in LIVE_PIPELINES:
        return False
    return any(u.unit == AUDIO_UNIT and u.state == job.UNIT_STATE_QUEUED for u in source.units)


def is_audio_made(source: record.JobRecord) -> bool:
    """Whether the audio of a live session is put together."""
    return any(u.unit == AUDIO_UNIT and u.state == job.UNIT_STATE_COMPLETED for u in source.units)


def _could_run(unit: record.Unit, has_ended: list[bool]) -> bool:
    if unit.state == job.UNIT_STATE_WAITING:
        return unit.HasField("needs") and all(has_ended[place] for place in unit.needs.places)
    return unit.state == job.UNIT_STATE_QUEUED
