"""Decides what runs next. Pure: no I/O, no clock, no randomness.

A loop around it reads an event, calls `advance`, stores the record by
compare-and-set, publishes the tasks and only then acknowledges the event. A
crash between storing and publishing loses nothing but tasks. When the event is
redelivered, it changes nothing and the loop publishes `pending_tasks`; the
reconciler does the same for a job without further events.
"""

from __future__ import annotations

from maie_gateway.conductor.advance import accept, advance
from maie_gateway.conductor.demand import (
    has_given_up_optional,
    has_optional_done,
    has_optional_units_alone,
    is_audio_due,
    is_audio_made,
    is_live,
    runnable_units,
)
from maie_gateway.conductor.draft import Step
from maie_gateway.conductor.job_events import can_retry, has_room_for_revision
from maie_gateway.conductor.log import log_events
from maie_gateway.conductor.origin import may_publish
from maie_gateway.conductor.policy import Policy
from maie_gateway.conductor.tasks import binding, dead_letters, lane, pending_tasks, task_id
from maie_gateway.conductor.timeline import timeline
from maie_gateway.conductor.view import failures, job_view, stage_progress
from maie_pipeline.states import ENDED_STATES, FINAL_STATES

__all__ = [
    "ENDED_STATES",
    "FINAL_STATES",
    "Policy",
    "Step",
    "accept",
    "advance",
    "binding",
    "can_retry",
    "dead_letters",
    "failures",
    "has_given_up_optional",
    "has_optional_done",
    "has_optional_units_alone",
    "has_room_for_revision",
    "is_audio_due",
    "is_audio_made",
    "is_live",
    "job_view",
    "lane",
    "log_events",
    "may_publish",
    "pending_tasks",
    "runnable_units",
    "stage_progress",
    "task_id",
    "timeline",
]
