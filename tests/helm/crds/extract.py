"""Writes the schemas beside this file from CRDs: python -m tests.helm.crds.extract FOLDER.

FOLDER has a bare or other git repository of each project of `SOURCES`, at FOLDER/OWNER+NAME/repo.
A schema is that of the one version named, as JSON Schema without descriptions, and closed: where
an API server would drop a field that the CRD does not have, the schema refuses it. What CRDs state
in CEL (`x-kubernetes-validations`) is left out, since nothing here evaluates it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
_ENVOY = "charts/gateway-crds-helm/templates/generated/gateway.envoyproxy.io_{}.yaml"
_GATEWAY_API = "config/crd/standard/gateway.networking.k8s.io_{}.yaml"
_MONITORING = "example/prometheus-operator-crd/monitoring.coreos.com_{}.yaml"
# Repository, tag, file, version.
SOURCES = (
    ("kedacore/keda", "v2.20.2", "config/crd/bases/keda.sh_scaledobjects.yaml", "v1alpha1"),
    ("kubernetes-sigs/gateway-api", "v1.6.1", _GATEWAY_API.format("grpcroutes"), "v1"),
    ("kubernetes-sigs/gateway-api", "v1.6.1", _GATEWAY_API.format("httproutes"), "v1"),
    ("kubernetes-sigs/gateway-api", "v1.6.1", _GATEWAY_API.format("backendtlspolicies"), "v1"),
    ("envoyproxy/gateway", "v1.9.0", _ENVOY.format("backendtrafficpolicies"), "v1alpha1"),
    ("prometheus-operator/prometheus-operator", "v0.93.0", _MONITORING.format("podmonitors"), "v1"),
    (
        "prometheus-operator/prometheus-operator",
        "v0.93.0",
        _MONITORING.format("prometheusrules"),
        "v1",
    ),
    ("cert-manager/cert-manager", "v1.21.1", "deploy/crds/cert-manager.io_certificates.yaml", "v1"),
    (
        "external-secrets/external-secrets",
        "v2.9.0",
        "config/crds/bases/external-secrets.io_externalsecrets.yaml",
        "v1",
    ),
)
# Said of each field, and of no use to a validator.
_LEFT_OUT = {"description", "default", "title", "example", "format"}


def main(folder: Path) -> None:
    """Writes all schemas."""
    for repository, tag, file, version in SOURCES:
        found = _crd(folder / repository.replace("/", "+") / "repo", tag, file)
        spec = found["spec"]
        schema = next(each for each in spec["versions"] if each["name"] == version)
        kind, group = spec["names"]["kind"], spec["group"]
        closed = _closed(schema["schema"]["openAPIV3Schema"])
        # CRDs leave these to the API server.
        closed["properties"]["apiVersion"] = {"const": f"{group}/{version}"}
        closed["properties"]["kind"] = {"const": kind}
        closed["properties"]["metadata"] = {"type": "object"}
        target = HERE / f"{group}_{version}_{kind}.json"
        target.write_text(json.dumps(closed, separators=(",", ":"), sort_keys=True) + "\n")
        print(f"{target.name}: {repository} {tag} {file}")


def _crd(repository: Path, tag: str, file: str) -> dict[str, Any]:
    text = subprocess.run(
        ["git", "-C", repository, "show", f"{tag}:{file}"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    # Some are templates of a chart, with lines of a condition around them.
    plain = "\n".join(line for line in text.splitlines() if not line.startswith("{{"))
    return next(each for each in yaml.safe_load_all(plain) if each)


def _closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made: dict[str, Any] = {}
    for name, value in schema.items():
        if name in ("properties", "patternProperties"):
            made[name] = {field: _closed(each) for field, each in value.items()}
        elif name not in _LEFT_OUT and not name.startswith("x-kubernetes-"):
            made[name] = _closed(value)
    if made.pop("nullable", False) and "type" in made:
        made["type"] = [made["type"], "null"]
    is_open = schema.get("x-kubernetes-preserve-unknown-fields", False)
    if "properties" in made and made.get("type") == "object" and not is_open:
        made.setdefault("additionalProperties", False)
    if schema.get("x-kubernetes-int-or-string"):
        made.pop("type", None)
        made["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    return made


if __name__ == "__main__":
    main(Path(sys.argv[1]))
