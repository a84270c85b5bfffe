"""Checks objects against the schemas of Kubernetes and of the CRDs in `crds`; all are strict."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import jsonschema
from kubernetes_validate import utils as kubernetes
from referencing import Registry, Resource

from tests.helm.rendering import Object, title

CRDS = Path(__file__).with_name("crds")
NEWEST = "1.37"


def problems_of_schema(found: list[Object], version: str = NEWEST) -> list[str]:
    """What the API server would refuse; an object without a schema is a problem, too."""
    return [problem for each in found for problem in _problems(each, version)]


def _problems(each: Object, version: str) -> list[str]:
    try:
        validator = _validator(each["apiVersion"], each["kind"], version)
    except kubernetes.SchemaNotFoundError as error:
        return [f"{title(each)}: {error.message}"]
    return [
        f"{title(each)}: {'.'.join(map(str, error.absolute_path))}: {error.message[:300]}"
        for error in validator.iter_errors(each)
    ]


@functools.cache
def _validator(api: str, kind: str, version: str) -> jsonschema.Draft202012Validator:
    own = CRDS / f"{api.replace('/', '_')}_{kind}.json"
    if own.exists():
        return jsonschema.Draft202012Validator(json.loads(own.read_text()))
    folder = f"kubernetes-json-schema/v{_patch(version)}-local-strict"
    group, _, of_group = api.rpartition("/")
    # The package drops a group's domain: a kind of another domain must not pass for its own.
    if "." in group and not group.endswith(".k8s.io"):
        raise kubernetes.SchemaNotFoundError(kind, version, api)
    name = f"{kind.lower()}-{group.partition('.')[0]}{'-' if group else ''}{of_group}.json"
    try:
        schema = kubernetes.schema_contents(f"{folder}/{name}", version)
    except FileNotFoundError:
        raise kubernetes.SchemaNotFoundError(kind, version, api) from None
    definitions = _definitions(folder, version)
    return jsonschema.Draft202012Validator(
        schema, registry=Resource.from_contents(schema) @ (definitions @ Registry())
    )


@functools.cache
def _definitions(folder: str, version: str) -> Resource:
    return Resource.from_contents(
        kubernetes.schema_contents(f"{folder}/_definitions.json", version)
    )


def _patch(version: str) -> str:
    return next(each for each in kubernetes.all_versions() if each.startswith(f"{version}."))
