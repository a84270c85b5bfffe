"""Reads the metrics of a mesh, as Prometheus would."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.waiting import PATIENCE_SECONDS

# The library's own names, and what it makes of each process.
FOREIGN = ("process_", "python_", "target_info")
# Labels that say how the exporter made a series, and those of the scrape itself.
ADDED = {"otel_scope_name", "otel_scope_version", "otel_scope_schema_url", "le"}


@dataclass(kw_only=True)
class Family:
    """One metric of a mesh.

    Attributes:
        kind: "counter", "gauge" or "histogram".
        labels: The names of its labels.
        parts: The parts that have it.
        values: The sum of its samples over all parts, by the name of the series and its labels.
    """

    kind: str
    labels: set[str] = field(default_factory=set)
    parts: set[str] = field(default_factory=set)
    values: dict[tuple[str, frozenset[tuple[str, str]]], float] = field(
        default_factory=lambda: defaultdict(float)
    )

    def take(self, part: str, metric: Metric) -> None:
        """Adds what one part serves."""
        self.parts.add(part)
        for sample in metric.samples:
            if not sample.name.endswith("_created"):
                own = {key: value for key, value in sample.labels.items() if key not in ADDED}
                self.labels |= own.keys()
                if "le" not in sample.labels:
                    self.values[sample.name, frozenset(own.items())] += sample.value


def scrape(targets: Path) -> dict[str, Family]:
    """All metrics of the parts that a mesh's metrics.json lists, by the name in PromQL."""
    found: dict[str, Family] = {}
    for group in json.loads(targets.read_text()):
        for metric in page(group["targets"][0]):
            if not metric.name.startswith(FOREIGN):
                name = f"{metric.name}_total" if metric.type == "counter" else metric.name
                family = found.setdefault(name, Family(kind=metric.type))
                family.take(group["labels"]["part"], metric)
    return found


def page(address: str) -> Iterable[Metric]:
    """The metrics of one process."""
    with urlopen(f"http://{address}/metrics", timeout=PATIENCE_SECONDS) as answer:
        return list(text_string_to_metric_families(answer.read().decode()))
