"""Each value has a comment and a place in the closed schema, and the README says what holds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.helm import test_mistakes
from tests.helm.rendering import CHART, PROFILES
from tools.chart import settings

pytestmark = pytest.mark.unit

VALUES = (CHART / "values.yaml").read_text()
README = (CHART / "README.md").read_text()
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
# Of the official chart of NATS, and of components, whose keys componentDefaults explains.
ELSEWHERE = ("nats.", "components.")


def _keys(node: yaml.Node, path: str = "") -> Iterator[tuple[str, int, bool]]:
    """Each key of the values with its line, and whether keys below explain it."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style:
        for key, value in node.value:
            block = isinstance(value, yaml.MappingNode) and not value.flow_style
            yield f"{path}{key.value}", key.start_mark.line, block
            yield from _keys(value, f"{path}{key.value}.")


def test_each_value_has_a_comment() -> None:
    lines = VALUES.splitlines()
    root = yaml.compose(VALUES)
    assert root is not None
    commented: list[str] = []
    for path, line, explained_below in _keys(root):
        if path.startswith(ELSEWHERE):
            continue
        # Several keys that follow each other may have one comment, and so may all within a mapping.
        while re.match(r"\s*[\w./-]+:", lines[line]) and line:
            line -= 1
        if lines[line].lstrip().startswith("#"):
            commented.append(f"{path}.")
        elif not explained_below:
            assert path.startswith(tuple(commented)), f"{path} has no comment"


def _schemas(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for each in node.values():
            yield from _schemas(each)
    elif isinstance(node, list):
        for each in node:
            yield from _schemas(each)


def test_the_schema_is_closed() -> None:
    own = {name: each for name, each in SCHEMA["properties"].items() if name != "nats"}
    assert SCHEMA["additionalProperties"] is False
    for each in _schemas([own, SCHEMA["definitions"]]):
        if "properties" in each and each.get("type") == "object":
            assert each.get("additionalProperties") is False, each


def test_the_schema_and_the_values_have_the_same_keys() -> None:
    values = yaml.safe_load(VALUES)
    _same(values, SCHEMA, "")
    _same(values["componentDefaults"], SCHEMA["definitions"]["component"], "componentDefaults")


def _same(values: dict[str, Any], schema: dict[str, Any], path: str) -> None:
    schema = (
        SCHEMA["definitions"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    )
    if "properties" not in schema or path == ".nats":
        return
    assert set(schema["properties"]) - {"global"} == set(values), path
    for name, each in schema["properties"].items():
        if isinstance(values.get(name), dict):
            _same(values[name], each, f"{path}.{name}")


def test_the_readme_names_the_profiles_settings_and_numbers_that_are() -> None:
    assert set(re.findall(r"`([\w-]+)\.yaml` \|", README)) == set(PROFILES)
    templates, values = len(test_mistakes.MISTAKES), len(test_mistakes.REFUSED)
    assert f"{templates} kinds in templates and {values} in values" in README
    for name in re.findall(r"`(MAIE_[A-Z_]+[A-Z])`", README):
        assert name in settings(), name
    for key in re.findall(
        r"`((?:broker|models|tls|traffic|networkPolicy|encryption)\.[\w.]+)[:`]", README
    ):
        found: Any = yaml.safe_load(VALUES)
        for step in key.split("."):
            found = found[step]
