"""Whether what scales pods asks for what is there, of the right consumers, metrics and pods."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from maie_runtime.bus import subjects
from maie_runtime.bus.accounts import HOME
from tests.helm.parts import part_of
from tests.helm.rendering import Object, containers, labels, of_kind, title, variables
from tests.observability.queries import named
from tools.chart import slots

METRICS = Path(__file__).parents[2] / "docs/metrics.md"
# What Prometheus itself has, and what is set by the PodMonitor or by prometheus-operator.
OF_TARGETS = {"up": set[str]()}
TARGET_LABELS = {"job", "instance", "namespace", "pod", "pool"}
BY_RULES = {"severity", "le"}


def metrics() -> dict[str, set[str]]:
    """The labels of each metric of docs/metrics.md; histograms by their series."""
    found = dict(OF_TARGETS)
    for line in METRICS.read_text().splitlines():
        row = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)]
        if len(row) > 5 and row[1].startswith("`"):
            name, kind, own = row[1].strip("`"), row[3], set(re.findall(r"`(\w+)`", row[4]))
            series = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
            found |= {
                f"{name}{each}": own | ({"le"} if each == "_bucket" else set()) for each in series
            }
    text = METRICS.read_text()
    for name in ("maie_certificate_expiry_seconds", "maie_key_expiry_seconds"):
        assert f"`{name}`" in text
        found[name] = {"purpose"}
    return found


def problems_of_scalers(found: list[Object]) -> Iterator[str]:
    """Scalers scale a Deployment that leaves its number of pods to them."""
    deployments = {each["metadata"]["name"]: each for each in of_kind(found, "Deployment")}
    scaled: list[str] = []
    for each in of_kind(found, "ScaledObject", "HorizontalPodAutoscaler"):
        target = each["spec"]["scaleTargetRef"]["name"]
        scaled.append(target)
        if target not in deployments:
            yield f"{title(each)}: there is no Deployment {target}"
        elif "replicas" in deployments[target]["spec"]:
            yield f"{title(each)}: the Deployment sets replicas back at each upgrade"
        else:
            yield from _of_triggers(each, deployments[target]["spec"]["template"])
    for name, each in deployments.items():
        if scaled.count(name) > 1 or ("replicas" not in each["spec"] and name not in scaled):
            yield f"Deployment {name}: is scaled {scaled.count(name)} times"


def _of_triggers(scaler: Object, pod: Object) -> Iterator[str]:
    if scaler["kind"] != "ScaledObject":
        return
    stage, pool = part_of(pod), labels(pod)["app.kubernetes.io/component"]
    values = variables(containers(pod)[0])
    own_slots = values.get(f"MAIE_{stage.upper()}_SLOTS", slots().get(stage))
    lanes: set[str] = set()
    for trigger in scaler["spec"]["triggers"]:
        of = trigger["metadata"]
        if trigger["type"] == "nats-jetstream":
            if (of["account"], of["stream"]) != (HOME, subjects.TASKS):
                yield f"{title(scaler)}: tasks are in {HOME}, {subjects.TASKS}"
            lanes.add(of["consumer"])
        elif f'stage="{stage}"' in of["query"]:
            if of["threshold"] != str(own_slots):
                yield f"{title(scaler)}: a pod has {own_slots} slots, and not {of['threshold']}"
        elif f'pool="{pool}"' not in of["query"]:
            yield f"{title(scaler)}: asks for others: {of['query']}"
        if of.get("ignoreNullValues", "false") != "false":
            yield f"{title(scaler)}: no answer of Prometheus counts as no work"
    if lanes and lanes != {subjects.worker_consumer(stage, lane) for lane in subjects.LANES}:
        yield f"{title(scaler)}: the consumers of {stage} are not {lanes}"
    if "fallback" not in scaler["spec"]:
        yield f"{title(scaler)}: has no fallback"


def problems_of_queries(found: list[Object]) -> Iterator[str]:
    """Each query parses, and names metrics and labels that are served or recorded."""
    known = metrics()
    recorded = {
        rule["record"]: None
        for each in of_kind(found, "PrometheusRule")
        for group in each["spec"]["groups"]
        for rule in group["rules"]
        if "record" in rule
    }
    for where, query in _queries(found):
        try:
            names = named(query)
        except ValueError as error:
            yield f"{where}: {error}"
            continue
        for metric, matched in names.metrics:
            if metric in recorded:
                continue
            if metric not in known:
                yield f"{where}: there is no metric {metric}"
            elif wrong := matched - known[metric] - TARGET_LABELS:
                yield f"{where}: {metric} has no labels {wrong}"


def _queries(found: list[Object]) -> Iterator[tuple[str, str]]:
    for each in of_kind(found, "ScaledObject"):
        for trigger in each["spec"]["triggers"]:
            if trigger["type"] == "prometheus":
                yield title(each), trigger["metadata"]["query"]
    for each in of_kind(found, "PrometheusRule"):
        for group in each["spec"]["groups"]:
            for rule in group["rules"]:
                yield f"{title(each)} {rule.get('alert') or rule['record']}", rule["expr"]
