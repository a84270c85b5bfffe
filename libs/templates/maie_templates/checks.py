"""Checks that a template's schema can be filled, checked and bounded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from llguidance import LLMatcher

from maie_templates.formats import FORMATS
from maie_templates.problems import TemplateProblem, line_of, pointer_of

MAX_SCHEMA_BYTES = 64 * 1024
# A small schema with references can expand to a large one.
MAX_SCHEMA_NODES = 2000
MAX_DEPTH = 16
# The longest string and array of a summary, to stop a language model that repeats itself.
MAX_STRING_LENGTH = 20_000
MAX_ARRAY_LENGTH = 1000

# The supported keywords: a pattern can take a validator exponential time, guided decoding does not
# support `uniqueItems`, and an external reference would be fetched.
KEYWORDS = frozenset(
    {"$schema", "$defs", "$ref", "$comment", "title", "description", "examples", "default"}
    | {"deprecated", "type", "enum", "const", "properties", "required", "additionalProperties"}
    | {"minProperties", "maxProperties", "items", "minItems", "maxItems", "minLength", "maxLength"}
    | {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "format"}
    | {"anyOf", "oneOf", "allOf"}
)
COMBINED = ("anyOf", "oneOf", "allOf")
# Annotations without constraints.
ANNOTATIONS = frozenset(
    {"$schema", "$defs", "$comment", "title", "description", "examples", "default", "deprecated"}
)


class SchemaProblem(TemplateProblem):
    """A schema is invalid."""

    part = "schema_json"


@dataclass(kw_only=True, frozen=True, slots=True)
class _Place:
    """Where a node is.

    Attributes:
        path: As messages name it: properties by their names only, such as "$/topics/items".
        pointer: The JSON Pointer of it.
    """

    path: str = "$"
    pointer: str = ""

    def child(self, name: str, *tokens: str | int) -> _Place:
        """A node in this one: its name in the path, and the tokens of its pointer."""
        return _Place(path=f"{self.path}/{name}", pointer=self.pointer + pointer_of(tokens))

    def target(self, reference: str) -> _Place:
        """The node that a reference of this one names."""
        return _Place(path=f"{self.path}/$ref", pointer=reference.removeprefix("#"))

    def problem(self, message: str) -> SchemaProblem:
        """What is wrong with the node."""
        return SchemaProblem(f"{self.path}: {message}", pointer=self.pointer)


def check_schema(text: str) -> dict[str, Any]:
    """Parses a template's schema and checks that it can be filled and bounded.

    Args:
        text: JSON Schema draft 2020-12 as JSON text, at most 64 KiB.

    Raises:
        SchemaProblem: The schema is invalid.
    """
    if len(text.encode()) > MAX_SCHEMA_BYTES:
        raise SchemaProblem(f"the schema is larger than {MAX_SCHEMA_BYTES} bytes")
    try:
        schema = json.loads(text, parse_constant=_no_constant)
        if not isinstance(schema, dict):
            raise SchemaProblem("the schema is not a JSON object")
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise SchemaProblem(
            f"{error.json_path}: {error.message[:200]}", pointer=pointer_of(error.absolute_path)
        ) from error
    except (ValueError, RecursionError) as error:
        raise SchemaProblem(f"the schema is not JSON: {error}", line=line_of(error)) from error
    if schema.get("type") != "object":
        raise SchemaProblem("the schema's type is not object")
    for name in ("title", "description"):
        if not schema.get(name):
            raise SchemaProblem(f"the schema has no {name}", pointer=f"/{name}")
    for count, (place, node) in enumerate(_nodes(schema, schema, _Place(), ())):
        if count >= MAX_SCHEMA_NODES:
            raise SchemaProblem(f"the schema has more than {MAX_SCHEMA_NODES} parts")
        _check_node(place, node)
    _check_grammar(schema)
    return schema


def resolve(root: Mapping[str, Any], node: Mapping[str, Any]) -> dict[str, Any]:
    """A node with its local reference resolved and merged with its other keywords."""
    followed = dict(node)
    while "$ref" in followed:
        target = _target(root, str(followed.pop("$ref")))
        followed = {**target, **followed}
    return followed


def _no_constant(name: str) -> None:
    raise SchemaProblem(f"{name} is no JSON number")


def _target(root: Mapping[str, Any], reference: str) -> Mapping[str, Any]:
    name = reference.removeprefix("#/$defs/")
    found = root.get("$defs", {}).get(name) if name != reference else None
    if not isinstance(found, dict):
        raise SchemaProblem(f"{reference!r} is not one of the schema's own $defs")
    return found


def _nodes(
    root: dict[str, Any], node: Any, place: _Place, references: tuple[str, ...]
) -> Iterator[tuple[_Place, dict[str, Any]]]:
    """All nodes of a schema with resolved references, each with its place."""
    if not isinstance(node, dict):
        raise place.problem("true and false are not supported as a schema")
    if place.path.count("/") > 2 * MAX_DEPTH:
        raise SchemaProblem(
            f"the schema is nested more than {MAX_DEPTH} deep", pointer=place.pointer
        )
    yield place, node
    if (reference := node.get("$ref")) is not None:
        if reference in references:
            raise place.problem(f"{reference} contains itself")
        target = _target(root, reference)
        yield from _nodes(root, target, place.target(reference), (*references, reference))
    for name, child in node.get("properties", {}).items():
        yield from _nodes(root, child, place.child(name, "properties", name), references)
    if "items" in node:
        yield from _nodes(root, node["items"], place.child("items", "items"), references)
    if isinstance(others := node.get("additionalProperties"), dict):
        yield from _nodes(root, others, place.child("*", "additionalProperties"), references)
    for keyword in COMBINED:
        for index, child in enumerate(node.get(keyword, ())):
            yield from _nodes(root, child, place.child(keyword, keyword, index), references)


def _check_node(place: _Place, node: Mapping[str, Any]) -> None:
    if unknown := sorted(set(node) - KEYWORDS):
        raise place.problem(f"the keyword {unknown[0]} is not supported")
    if "format" in node and node["format"] not in FORMATS:
        known = ", ".join(sorted(FORMATS))
        raise place.problem(f"the format {node['format']!r} cannot be checked; use one of {known}")
    for keyword in ("$ref", *COMBINED):
        # Combinations of schemas are hard to bound, and hard to express to a model.
        if keyword in node and (others := sorted(set(node) - ANNOTATIONS - {keyword})):
            raise place.problem(f"{others[0]} cannot stand beside {keyword}")
    if len(node.get("allOf", ())) > 1:
        raise place.problem("allOf may hold one schema, and no more")
    types = node.get("type", ())
    types = (types,) if isinstance(types, str) else types
    if not types and not set(node) & {"enum", "const", "$ref", *COMBINED}:
        raise place.problem("the type is missing")
    if set(node) & {"enum", "const"}:
        return
    for kind, keyword, most in (
        ("string", "maxLength", MAX_STRING_LENGTH),
        ("array", "maxItems", MAX_ARRAY_LENGTH),
    ):
        if kind in types and node.get(keyword, most + 1) > most:
            raise place.problem(f"{keyword} is missing or over {most}")
    if "array" in types and "items" not in node:
        raise place.problem("items is missing")
    if "object" in types:
        _check_object(place, node)


def _check_object(place: _Place, node: Mapping[str, Any]) -> None:
    named = node.get("properties", {})
    if unknown := sorted(set(node.get("required", ())) - set(named)):
        raise place.problem(f"the required {unknown[0]} is not one of its properties")
    others = isinstance(node.get("additionalProperties"), dict)
    if node.get("minProperties", 0) > len(named) and not others:
        raise place.problem("minProperties is more than there are properties")


def _check_grammar(schema: Mapping[str, Any]) -> None:
    """Compiles a schema as the back ends for guided decoding do.

    They support fewer formats and smaller numbers than JSON Schema, and reject
    schemas without any valid value.
    """
    # The answer is checked later for other valid options.
    grammar = LLMatcher.grammar_from_json_schema(
        json.dumps(schema), defaults={"coerce_one_of": True}
    )
    if problem := LLMatcher.validate_grammar(grammar):
        raise SchemaProblem(f"no language model can be held to the schema: {problem[:200]}")
