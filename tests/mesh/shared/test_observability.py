"""Each metric and label that rules and dashboards name is served by a running mesh."""

from __future__ import annotations

import pytest

from tests.mesh.scraping import Family
from tests.mesh.shared.test_metrics import families, worked
from tests.observability.queries import named, queries, rules

__all__ = ["families", "worked"]

pytestmark = pytest.mark.mesh

# Prometheus adds these to each series.
OF_SCRAPES = {"job", "instance"}
# This mesh has no TLS and no keys; tests of theirs show these.
ELSEWHERE = {
    "maie_certificate_expiry_seconds": {"purpose"},
    "maie_key_expiry_seconds": set[str](),
    "up": set[str](),
}


def known_labels(families: dict[str, Family]) -> dict[str, set[str]]:
    """The labels of each series: of the mesh, and of recording rules."""
    known = {**ELSEWHERE}
    for name, family in families.items():
        if family.kind == "histogram":
            known[f"{name}_bucket"] = family.labels | {"le"}
            known[f"{name}_sum"] = known[f"{name}_count"] = family.labels
        else:
            known[name] = family.labels
    for rule in rules("recording"):
        known[rule["record"]] = named(rule["expr"]).grouped
    return known


def test_each_metric_and_label_is_served(families: dict[str, Family]) -> None:
    known = known_labels(families)
    wrong = []
    for place, query in queries():
        found = named(query)
        labels = set[str]()
        for metric, matched in found.metrics:
            if metric not in known:
                wrong.append(f"{place}: there is no metric {metric}")
                continue
            labels |= known[metric]
            if matched - known[metric] - OF_SCRAPES:
                wrong.append(f"{place}: {metric} has no label of {matched}")
        if found.grouped - labels - OF_SCRAPES:
            wrong.append(f"{place}: no metric has a label of {found.grouped}")
    assert wrong == []
