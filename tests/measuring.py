"""Reads what a meter's instruments measured."""

from __future__ import annotations

from opentelemetry.metrics import Meter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, NumberDataPoint


class Measured:
    """A meter whose measurements a test reads.

    Attributes:
        meter: Makes instruments.
    """

    def __init__(self) -> None:
        self._reader = InMemoryMetricReader()
        self.meter: Meter = MeterProvider([self._reader], shutdown_on_exit=False).get_meter("test")

    def numbers(self, name: str) -> list[tuple[dict[str, object], float]]:
        """The points of a counter or gauge: labels and value."""
        data = self._reader.get_metrics_data()
        return [
            (dict(point.attributes or {}), point.value)
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
            if isinstance(point, NumberDataPoint)
        ]
