"""The demand for workers, and the slots there are, as metrics."""

from __future__ import annotations

from collections.abc import Iterator

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from maie_gateway.engine.workers import LiveWorkers
from maie_gateway.records.changes import JobChanges
from maie_pipeline.bindings import BINDINGS
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.subjects import LANES

_AGGREGATION = "Every gateway reports it for the whole mesh: aggregate with max, not sum."


def observe_demand(meter: Meter, broker: Broker, changes: JobChanges, workers: LiveWorkers) -> None:
    """Makes the gauges `maie.demand.units` and `maie.capacity.slots`, for scaling workers.

    They report nothing while the broker is disconnected, since what is known may be stale.

    Args:
        meter: Makes the gauges.
        broker: The broker.
        changes: Knows the units that could run.
        workers: Knows the slots.
    """

    def demand(_: CallbackOptions) -> Iterator[Observation]:
        units = changes.demand()
        for slug, binding in BINDINGS.items() if broker.connected else ():
            for lane in LANES:
                count = units.get((binding.stage, lane), 0)
                yield Observation(count, {"stage": slug, "lane": lane})

    def capacity(_: CallbackOptions) -> Iterator[Observation]:
        slots = workers.slots()
        for slug, binding in BINDINGS.items() if broker.connected else ():
            yield Observation(slots.get(binding.stage, 0), {"stage": slug})

    meter.create_observable_gauge(
        "maie.demand.units",
        [demand],
        unit="{unit}",
        description="Units that could run at once if all had slots, running ones included, by "
        f"stage and lane. {_AGGREGATION}",
    )
    meter.create_observable_gauge(
        "maie.capacity.slots",
        [capacity],
        unit="{slot}",
        description=f"Slots of the live workers, by stage. {_AGGREGATION}",
    )
