"""What a gateway counts of jobs, as it stores each change of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import product

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_core.durations import seconds
from maie_core.metrics import NO_METER, OTHER, WORK_SECONDS, Capped
from maie_core.reasons import WarningReason
from maie_core.result_warnings import COUNTED_REASONS
from maie_gateway.conductor import FINAL_STATES, has_given_up_optional, lane
from maie_gateway.conductor.tenants import tenant_of_record
from maie_gateway.records.changes import JobChanges
from maie_pipeline.bindings import BINDINGS
from maie_pipeline.pipelines import PIPELINES, pipeline_of
from maie_runtime.bus.subjects import LANES

_SLUGS = {binding.stage: slug for slug, binding in BINDINGS.items()}
_STATES = {
    job.JOB_STATE_COMPLETE: "complete",
    job.JOB_STATE_FAILED: "failed",
    job.JOB_STATE_CANCELLED: "cancelled",
}
_ACTIVE = ("running", "held", "live")
_AGGREGATION = "Every gateway reports it for the whole mesh: aggregate with max, not sum."


class JobMetrics:
    """Counts jobs. A change is counted by the one gateway that stored it: aggregate with sum.

    Args:
        meter: Makes the instruments.
        most_tenants: How many tenants have series of their own.

    Attributes:
        tenant: Gives the label of a tenant.
    """

    def __init__(self, meter: Meter = NO_METER, most_tenants: int = 0) -> None:
        self.tenant = Capped(most_tenants)
        self._accepted = meter.create_counter(
            "maie.jobs.accepted",
            unit="{job}",
            description="Jobs and live sessions that were accepted, by pipeline and lane.",
        )
        self._duration = meter.create_histogram(
            "maie.job.duration",
            unit="s",
            description="How long jobs took from their acceptance to their end, by pipeline, lane "
            "and final state; a live session from its beginning.",
            explicit_bucket_boundaries_advisory=WORK_SECONDS,
        )
        self._audio = meter.create_counter(
            "maie.job.audio", unit="s", description="Audio of jobs that are complete, by pipeline."
        )
        self._warned = meter.create_counter(
            "maie.jobs.warned",
            unit="{job}",
            description="Complete jobs with a result that has a warning of this reason of "
            "docs/reasons.md, or with SUSPECT_TEXT, by pipeline. Each counts once for a reason.",
        )
        self._retries = meter.create_counter(
            "maie.unit.retries",
            unit="{attempt}",
            description="Attempts of units that failed and are followed by another, by stage.",
        )
        self._tenant_jobs = meter.create_counter(
            "maie.tenant.jobs",
            unit="{job}",
            description="Jobs that ended, by tenant and final state.",
        )
        self._tenant_audio = meter.create_counter(
            "maie.tenant.audio", unit="s", description="Audio of complete jobs, by tenant."
        )
        self._foreign = meter.create_counter(
            "maie.events.foreign",
            unit="{event}",
            description="Events that were dropped, since the stage that published them may not "
            "publish them, by that stage.",
        )
        for slug in BINDINGS:
            # A counter that is absent until its first event has no rate for it.
            self._retries.add(0, {"stage": slug})
            self._foreign.add(0, {"stage": slug})
        for pipeline, reason in product(PIPELINES, COUNTED_REASONS):
            self._warned.add(0, {"pipeline": pipeline, "reason": reason})

    def began(self, new: record.JobRecord) -> None:
        """Counts a job that was stored."""
        self._accepted.add(1, {"pipeline": _pipeline(new), "lane": lane(new)})
        self.tenant(tenant_of_record(new))

    def changed(self, old: record.JobRecord, new: record.JobRecord) -> None:
        """Counts what a stored change of a job says."""
        for entry in new.log[len(old.log) :]:
            ended = entry.unit_ended
            if entry.HasField("unit_ended") and ended.state == job.UNIT_STATE_QUEUED:
                self._retries.add(1, {"stage": _SLUGS.get(ended.stage, OTHER)})
        if new.state in FINAL_STATES and old.state not in FINAL_STATES:
            self._ended(new)

    def foreign(self, stage: str) -> None:
        """Counts an event that was dropped, since this stage may not publish it."""
        self._foreign.add(1, {"stage": stage if stage in BINDINGS else OTHER})

    def _ended(self, new: record.JobRecord) -> None:
        labels = {"pipeline": _pipeline(new), "state": _STATES.get(new.state, OTHER)}
        took = new.log[-1].event_time.ToNanoseconds() - new.log[0].event_time.ToNanoseconds()
        self._duration.record(max(0.0, took / 1e9), {**labels, "lane": lane(new)})
        tenant = {"tenant": self.tenant(tenant_of_record(new))}
        self._tenant_jobs.add(1, {**tenant, "state": labels["state"]})
        if new.state == job.JOB_STATE_COMPLETE:
            audio = seconds(new.facts.duration)
            self._audio.add(audio, {"pipeline": labels["pipeline"]})
            self._tenant_audio.add(audio, tenant)
            reasons = {reason for unit in new.units for reason in unit.warning_reasons}
            if has_given_up_optional(new):
                reasons.add(WarningReason.QUALITY_MISSING)
            for reason in reasons:
                self._warned.add(1, {"pipeline": labels["pipeline"], "reason": reason})


def observe_jobs(meter: Meter, changes: JobChanges, tenant_label: Capped) -> None:
    """Makes the gauges of unfinished jobs.

    Args:
        meter: Makes the gauges.
        changes: Knows them.
        tenant_label: Gives the label of a tenant.
    """

    def active(_: CallbackOptions) -> Iterator[Observation]:
        count = Counter({(of_lane, state): 0 for of_lane in LANES for state in _ACTIVE})
        # A copy, since the loop's thread may add jobs meanwhile.
        for each in tuple(changes.active_jobs.values()):
            state = "live" if each.live else "held" if each.held else "running"
            count[each.lane, state] += 1
        for (of_lane, state), number in count.items():
            yield Observation(number, {"lane": of_lane, "state": state})

    def tenants(_: CallbackOptions) -> Iterator[Observation]:
        count = Counter(tenant_label(each.tenant) for each in tuple(changes.active_jobs.values()))
        for tenant in tenant_label.known | count.keys():
            yield Observation(count[tenant], {"tenant": tenant})

    meter.create_observable_gauge(
        "maie.jobs.active",
        [active],
        unit="{job}",
        description="Unfinished jobs by lane and state: `running`, `held` back for their tenant's "
        f"fair share, or `live` sessions. {_AGGREGATION}",
    )
    meter.create_observable_gauge(
        "maie.tenant.active",
        [tenants],
        unit="{job}",
        description=f"Unfinished jobs and live sessions, by tenant. {_AGGREGATION}",
    )


def _pipeline(of: record.JobRecord) -> str:
    pipeline = pipeline_of(of)
    return pipeline.name if pipeline else OTHER
