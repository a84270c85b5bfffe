"""Writes the renders that tests compare with: python -m tests.helm.golden."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.helm.rendering import PROFILES, Object, objects

# Labels that are the same everywhere, or change with each release.
LEFT_OUT = {
    "app.kubernetes.io/managed-by",
    "app.kubernetes.io/part-of",
    "app.kubernetes.io/version",
    "helm.sh/chart",
}


def text(profile: str) -> str:
    """What a profile renders to, in few lines."""
    found = sorted(objects(profile), key=lambda each: (each["kind"], each["metadata"]["name"]))
    return yaml.safe_dump_all(
        (_short(each) for each in found), default_flow_style=None, width=160, sort_keys=True
    )


def _short(each: Object) -> Object:
    """An object without what is copied into it from files, which other tests compare."""
    own = each["metadata"].get("labels", {})
    each["metadata"]["labels"] = {name: own[name] for name in own.keys() - LEFT_OUT}
    if each["kind"] == "PrometheusRule":
        each["spec"] = "..."
    for field in ("data", "binaryData"):
        if field in each and each["metadata"]["name"] != "maie-nats-config":
            each[field] = "..."
    return each


if __name__ == "__main__":
    for profile in PROFILES:
        Path(__file__).with_name(f"{profile}.yaml").write_text(text(profile))
