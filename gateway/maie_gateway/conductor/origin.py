"""Which stage may publish an event."""

from __future__ import annotations

from maie.event.v1 import event_pb2 as event
from maie.job.v1 import record_pb2 as record
from maie_gateway.conductor.job_events import JOB_EVENTS
from maie_pipeline.bindings import binding_of


def may_publish(stage: str, stage_event: event.StageEvent, source: record.JobRecord) -> bool:
    """Whether an event may come from the workers of a stage.

    Workers report on units of their own stage. Events about a whole job, such as its
    cancellation, are made by gateways, which do not publish them.

    Args:
        stage: The stage in the event's subject. Only its workers may publish there.
        stage_event: The event.
        source: The job's record. An event of a unit that it lacks changes nothing, and of a stage
            that this version does not know, `advance` decides.
    """
    if stage_event.WhichOneof("event") in JOB_EVENTS:
        return False
    unit = next((unit for unit in source.units if unit.unit == stage_event.unit), None)
    binding = binding_of(unit.stage) if unit else None
    return binding is None or binding.slug == stage
